// One series over time with uPlot, which draws on a canvas: the numbers are also there in words.
import { type ReactNode, useEffect, useRef } from "react";
import UPlot from "uplot";
import { watchTheme } from "../lib/theme.ts";
import "uplot/dist/uPlot.min.css";

interface ChartProps {
  readonly label: string;
  /** Seconds since 1970, ascending. */
  readonly times: readonly number[];
  readonly values: readonly number[];
  readonly format: (value: number) => string;
}

const HEIGHT_PX = 152;
const AXIS_PX = 88;

export function Chart({ label, times, values, format }: ChartProps): ReactNode {
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const element = box.current;
    if (element === null) return;
    const plot = new UPlot(optionsOf(element, format), [[...times], [...values]], element);
    const resize = new ResizeObserver(() => plot.setSize({ width: element.clientWidth, height: HEIGHT_PX }));
    resize.observe(element);
    const stopWatching = watchTheme(() => plot.redraw(false, true));
    return () => {
      stopWatching();
      resize.disconnect();
      plot.destroy();
    };
  }, [times, values, format]);
  const [least, most] = [Math.min(...values), Math.max(...values)];
  return (
    <div
      ref={box}
      className="chart-box"
      role="img"
      aria-label={`${label}: ${values.length} from ${format(least)} to ${format(most)}, now ${format(values.at(-1) ?? 0)}`}
    />
  );
}

function optionsOf(element: HTMLElement, format: (value: number) => string): UPlot.Options {
  // Asked each time something is drawn, so that a change of theme needs nothing but a redraw.
  const color = (name: string) => (): string => resolveColor(element, name);
  const axis = {
    stroke: color("--muted"),
    grid: { stroke: color("--line"), width: 1 },
    ticks: { show: false },
  };
  return {
    width: element.clientWidth,
    height: HEIGHT_PX,
    // The value under the pointer, in words, in the place that it has anyway.
    // Of the text's colour: the line's would be written once, and stay when the theme changes.
    legend: { show: true, live: true, markers: { show: false, stroke: "inherit" } },
    cursor: { points: { size: 6 }, drag: { x: false, y: false } },
    scales: { y: { range: (_, __, max) => [0, max * 1.1 || 1] } },
    axes: [axis, { ...axis, size: AXIS_PX, values: (_, splits) => splits.map(format) }],
    series: [
      { label: "Made", value: (_, at) => (at === null ? "" : day(at)) },
      {
        label: "Value",
        value: (_, value) => (value === null ? "" : format(value)),
        stroke: color("--accent"),
        fill: color("--accent-bg"),
        width: 1.5,
        points: { size: 4 },
      },
    ],
  };
}

const day = (seconds: number): string =>
  new Date(seconds * 1000).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });

/** A canvas cannot read custom properties: the browser works one out as the colour of an element. */
function resolveColor(element: HTMLElement, name: string): string {
  const before = element.style.color;
  element.style.color = `var(${name})`;
  const { color } = getComputedStyle(element);
  element.style.color = before;
  return color;
}
