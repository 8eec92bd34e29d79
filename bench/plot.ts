// Draws curves as an SVG by hand: two logarithmic axes, a line per series. Pure, so that no picture needs a browser.

export interface Series {
  readonly name: string;
  readonly color: string;
  readonly points: readonly (readonly [x: number, y: number])[];
}

export interface Panel {
  readonly title: string;
  readonly xUnit: string;
  readonly yUnit: string;
  readonly series: readonly Series[];
}

const WIDTH = 460;
const HEIGHT = 300;
const LEFT = 64;
const RIGHT = 16;
const TOP = 44;
const BOTTOM = 44;
const COLUMNS = 2;

/** Panels two in a row. All values must be above 0. */
export function plotSvg(panels: readonly Panel[]): string {
  const rows = Math.ceil(panels.length / COLUMNS);
  const [width, height] = [WIDTH * Math.min(COLUMNS, panels.length), HEIGHT * rows];
  const drawn = panels.map((panel, at) => {
    const [x, y] = [(at % COLUMNS) * WIDTH, Math.floor(at / COLUMNS) * HEIGHT];
    return `<g transform="translate(${x} ${y})">\n${drawPanel(panel)}\n</g>`;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}"`,
    ` font-family="sans-serif" font-size="12">`,
    `<rect width="100%" height="100%" fill="#fff"/>`,
    ...drawn,
    `</svg>\n`,
  ].join("\n");
}

function drawPanel({ title, xUnit, yUnit, series }: Panel): string {
  const points = series.flatMap((one) => one.points);
  const x = axis(
    points.map(([value]) => value),
    LEFT,
    WIDTH - RIGHT,
  );
  const y = axis(
    points.map(([, value]) => value),
    HEIGHT - BOTTOM,
    TOP,
  );
  return [
    text(LEFT, 18, title, `font-weight="bold"`),
    ...series.map(({ name, color }, at) => text(LEFT + at * 130, 36, `— ${name}`, `fill="${color}"`)),
    ...x.ticks.flatMap((tick) => [
      line([x.place(tick), TOP], [x.place(tick), HEIGHT - BOTTOM]),
      text(x.place(tick), HEIGHT - BOTTOM + 16, label(tick), `text-anchor="middle"`),
    ]),
    ...y.ticks.flatMap((tick) => [
      line([LEFT, y.place(tick)], [WIDTH - RIGHT, y.place(tick)]),
      text(LEFT - 6, y.place(tick) + 4, label(tick), `text-anchor="end"`),
    ]),
    text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 8, xUnit, `text-anchor="middle"`),
    text(8, TOP - 8, yUnit),
    ...series.map(({ color, points: of }) =>
      curve(
        of.map(([a, b]) => [x.place(a), y.place(b)]),
        color,
      ),
    ),
  ].join("\n");
}

interface Axis {
  /** Powers of ten around all values. */
  readonly ticks: readonly number[];
  readonly place: (value: number) => number;
}

function axis(values: readonly number[], from: number, to: number): Axis {
  const logs = values.map((value) => Math.log10(value));
  const low = Math.floor(Math.min(...logs));
  const high = Math.max(low + 1, Math.ceil(Math.max(...logs)));
  return {
    ticks: Array.from({ length: high - low + 1 }, (_, at) => 10 ** (low + at)),
    place: (value) => from + ((Math.log10(value) - low) / (high - low)) * (to - from),
  };
}

function curve(points: readonly (readonly [number, number])[], color: string): string {
  const path = points.map(([x, y]) => `${round(x)},${round(y)}`).join(" ");
  const dots = points.map(([x, y]) => `<circle cx="${round(x)}" cy="${round(y)}" r="3" fill="${color}"/>`);
  return [`<polyline points="${path}" fill="none" stroke="${color}" stroke-width="2"/>`, ...dots].join("");
}

function line([x1, y1]: readonly [number, number], [x2, y2]: readonly [number, number]): string {
  return `<path d="M${round(x1)} ${round(y1)}L${round(x2)} ${round(y2)}" stroke="#ddd"/>`;
}

function text(x: number, y: number, content: string, attributes = ""): string {
  const safe = content.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
  return `<text x="${round(x)}" y="${round(y)}" ${attributes}>${safe}</text>`;
}

function label(value: number): string {
  return value >= 1000 ? value.toLocaleString("en-US") : String(Number(value.toPrecision(3)));
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
