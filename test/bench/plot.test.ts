import { XMLParser } from "fast-xml-parser";
import { expect, it } from "vitest";
import { plotSvg } from "../../bench/plot.ts";

const panel = (points: [number, number][]) => ({
  title: "Time & <size>",
  xUnit: "files",
  yUnit: "seconds",
  series: [{ name: "first", color: "#000", points }],
});

it("draws well-formed SVG with every point within its panel, larger values up and to the right", () => {
  const svg = plotSvg([
    panel([
      [1000, 0.5],
      [10_000, 2],
      [1_000_000, 61],
    ]),
    panel([[1, 1]]),
    panel([[5, 7]]),
  ]);
  const parsed = new XMLParser({ ignoreAttributes: false }).parse(svg, true) as { svg: { g: unknown[] } };
  expect(parsed.svg.g).toHaveLength(3);
  const [first = ""] = [...svg.matchAll(/polyline points="([^"]+)"/g)].map((match) => match[1]);
  const places = first.split(" ").map((place) => place.split(",").map(Number) as [number, number]);
  expect(places).toHaveLength(3);
  for (const [x, y] of places) {
    expect(x).toBeGreaterThanOrEqual(64);
    expect(x).toBeLessThanOrEqual(444);
    expect(y).toBeGreaterThanOrEqual(44);
    expect(y).toBeLessThanOrEqual(256);
  }
  expect(places.map(([x]) => x)).toEqual(places.map(([x]) => x).toSorted((a, b) => a - b));
  expect(places.map(([, y]) => y)).toEqual(places.map(([, y]) => y).toSorted((a, b) => b - a));
  expect(svg).toContain("1,000,000");
  expect(svg).toContain("Time &amp; &lt;size>");
});
