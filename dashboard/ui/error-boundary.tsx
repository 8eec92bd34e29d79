// A page that throws is shown as a page that failed; the rest of the dashboard stays. A class, because React has no
// other way to catch.
import { Component, type ReactNode } from "react";
import { FaultPage } from "./fault-view.tsx";

interface Props {
  readonly children: ReactNode;
  /** A change of it tries again. */
  readonly resetKey: string;
}

export class ErrorBoundary extends Component<Props, { readonly fault: Error | undefined }> {
  override state: { readonly fault: Error | undefined } = { fault: undefined };

  static getDerivedStateFromError(error: unknown): { fault: Error } {
    return { fault: error instanceof Error ? error : new Error(String(error)) };
  }

  override componentDidUpdate({ resetKey }: Props): void {
    if (resetKey !== this.props.resetKey && this.state.fault !== undefined)
      this.setState({ fault: undefined });
  }

  override render(): ReactNode {
    const { fault } = this.state;
    if (fault === undefined) return this.props.children;
    return <FaultPage fault={fault} onRetry={() => location.reload()} />;
  }
}
