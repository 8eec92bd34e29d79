// Labelled inputs: the label is always there, the help and the error are read out with the input.
import { type ComponentProps, type ReactNode, useId } from "react";

interface FieldFrameProps {
  readonly label: ReactNode;
  readonly help?: ReactNode;
  readonly error?: string | undefined;
}

interface TextFieldProps
  extends FieldFrameProps,
    Omit<ComponentProps<"input">, "onChange" | "value" | "className" | "id"> {
  readonly value: string;
  readonly onChange: (value: string) => void;
}

export function TextField({ label, help, error, onChange, ...input }: TextFieldProps): ReactNode {
  const id = useId();
  return (
    <Frame id={id} label={label} help={help} error={error}>
      <input
        id={id}
        className="input"
        aria-invalid={error !== undefined}
        aria-describedby={`${id}-more`}
        onChange={(event) => onChange(event.target.value)}
        {...input}
      />
    </Frame>
  );
}

interface SelectFieldProps extends FieldFrameProps {
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly options: readonly (readonly [value: string, text: string])[];
  readonly disabled?: boolean;
}

export function SelectField({
  label,
  help,
  error,
  value,
  onChange,
  options,
  disabled,
}: SelectFieldProps): ReactNode {
  const id = useId();
  return (
    <Frame id={id} label={label} help={help} error={error}>
      <select
        id={id}
        className="input"
        value={value}
        disabled={disabled}
        aria-describedby={`${id}-more`}
        onChange={(event) => onChange(event.target.value)}
      >
        {options.map(([each, text]) => (
          <option key={each} value={each}>
            {text}
          </option>
        ))}
      </select>
    </Frame>
  );
}

interface CheckFieldProps extends Omit<FieldFrameProps, "error"> {
  readonly checked: boolean;
  readonly onChange: (checked: boolean) => void;
  readonly disabled?: boolean;
}

export function CheckField({ label, help, checked, onChange, disabled }: CheckFieldProps): ReactNode {
  const helpId = useId();
  const box = (
    <label className="check">
      <input
        type="checkbox"
        checked={checked}
        disabled={disabled}
        aria-describedby={help === undefined ? undefined : helpId}
        onChange={(event) => onChange(event.target.checked)}
      />
      {label}
    </label>
  );
  if (help === undefined) return box;
  return (
    <div className="field">
      {box}
      <div id={helpId} className="help">
        {help}
      </div>
    </div>
  );
}

function Frame({
  id,
  label,
  help,
  error,
  children,
}: FieldFrameProps & { id: string; children: ReactNode }): ReactNode {
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      {children}
      <div id={`${id}-more`} className={error === undefined ? "help" : "help bad"}>
        {error ?? help}
      </div>
    </div>
  );
}
