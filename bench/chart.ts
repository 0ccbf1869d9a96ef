// The chart of the README: an SVG of its own colours, which follow the reader's scheme.

import { type EChartsOption, init, type SeriesOption } from 'echarts';
import type { Figure } from './figure.js';
import { IN_FLIGHT, PAYLOAD } from './growth.js';
import { HEAP_TABLE } from './memory.js';

const WIDTH = 1000;
const HEIGHT = 1130;

/** What becomes another colour in the dark: as drawn, and there. */
const schemes = { background: ['#fefefe', '#0d1117'], text: ['#24292e', '#e6edf3'], faint: ['#d8dee3', '#30363d'] } as const;
const [background, text, faint] = [schemes.background[0], schemes.text[0], schemes.faint[0]];
/** By place; readable on both backgrounds. */
const colours = ['#3b82c4', '#d97706', '#1a9e77', '#c2528b', '#8a8f98', '#6d6a9c'];
const boundColour = '#d1453b';

interface Panel {
  title: string;
  top: number;
  height: number;
  left: number;
  width: number;
}

const panels = {
  publish: { title: 'Instructions of an operation, MQTT (logarithmic)', top: 90, height: 240, left: 72, width: 910 },
  heap: { title: 'Heap on rv32, all in, bytes; — bound', top: 420, height: 220, left: 72, width: 910 },
  inFlight: { title: 'QoS 1 publish to PUBACK, instructions,\nby messages in flight', top: 760, height: 330, left: 72, width: 395 },
  payload: { title: 'QoS 0 publish, instructions,\nby bytes of payload', top: 760, height: 330, left: 585, width: 395 },
} satisfies Record<string, Panel>;

const places = (figures: readonly Figure[]) => [...new Set(figures.flatMap(({ on }) => on ?? []))];
const names = (figures: readonly Figure[]) => [...new Set(figures.map(({ name }) => name))];
const figureAt = (figures: readonly Figure[], name: string, on: string) =>
  figures.find((figure) => figure.name === name && figure.on === on)?.value ?? null;

/** Bars in groups: a group a name, a colour a place. */
function bars(figures: readonly Figure[], axis: number, colour: (place: string) => string): SeriesOption[] {
  return places(figures).map((place) => ({
    type: 'bar',
    name: place,
    xAxisIndex: axis,
    yAxisIndex: axis,
    data: names(figures).map((name) => figureAt(figures, name, place)),
    itemStyle: { color: colour(place) },
    barGap: '8%',
  }));
}

/** A line over each bar that has a bound. */
function bounds(figures: readonly Figure[], axis: number): SeriesOption {
  const lines = names(figures).flatMap((name, group) => {
    const most = Math.max(...figures.filter((figure) => figure.name === name).map(({ bound }) => bound ?? 0));
    return most > 0 ? [[group, most]] : [];
  });
  return {
    type: 'scatter',
    xAxisIndex: axis,
    yAxisIndex: axis,
    data: lines,
    symbol: 'rect',
    symbolSize: [70, 2],
    itemStyle: { color: boundColour },
  };
}

function lines(figures: readonly Figure[], axis: number, colour: (place: string) => string): SeriesOption[] {
  return figures.map(({ on, growth }) => ({
    type: 'line',
    name: on ?? '',
    xAxisIndex: axis,
    yAxisIndex: axis,
    data: growth?.at.map((at, i) => [Math.max(at, 0.5), growth.values[i] ?? null]) ?? [], // a logarithmic axis has no 0
    symbolSize: 5,
    itemStyle: { color: colour(on ?? '') },
    lineStyle: { color: colour(on ?? ''), width: 2 },
  }));
}

/** The chart of `figures` as SVG. */
export function chart(figures: readonly Figure[]): string {
  const operations = figures.filter(({ table }) => table === 'Instructions an operation, client module, MQTT');
  const heap = figures.filter(({ table, on }) => table === HEAP_TABLE && on?.startsWith('rv32'));
  const [inFlight, payload] = [IN_FLIGHT, PAYLOAD].map((wanted) => figures.filter(({ name, growth }) => growth && name === wanted));
  const all = places(operations);
  const colour = (place: string) => colours[all.indexOf(place) % colours.length] ?? text;
  const grids = Object.values(panels);
  const label = { color: text, fontSize: 11 };
  const categories = (of: readonly Figure[], axis: number) => ({
    type: 'category' as const,
    gridIndex: axis,
    data: names(of).map((name) => name.replaceAll(/, | over /g, '\n')),
    axisLabel: { ...label, interval: 0, fontSize: 10, width: 110, overflow: 'break' as const },
    axisLine: { lineStyle: { color: text } },
    axisTick: { show: false },
  });
  const amounts = (axis: number) => ({
    type: 'log' as const,
    gridIndex: axis,
    axisLabel: { ...label, formatter: (value: number) => (value < 1 ? '0' : value.toLocaleString('en')) },
    axisLine: { lineStyle: { color: text } },
    splitLine: { show: false },
  });
  const values = (axis: number, type: 'log' | 'value') => ({
    type,
    gridIndex: axis,
    axisLabel: { ...label, formatter: (value: number) => value.toLocaleString('en') },
    splitLine: { lineStyle: { color: faint } },
    ...(type === 'log' ? { min: 100 } : {}),
  });
  const option: EChartsOption = {
    animation: false,
    backgroundColor: background,
    textStyle: { fontFamily: 'sans-serif' },
    legend: { top: 12, data: all, textStyle: label, itemWidth: 14, itemHeight: 10, itemGap: 22 },
    title: grids.map(({ title, top, left }) => ({
      text: title,
      top: top - (title.includes('\n') ? 46 : 32),
      left,
      textStyle: { color: text, fontSize: 13 },
    })),
    grid: grids.map(({ top, height, left, width }) => ({ top, height, left, width })),
    xAxis: [categories(operations, 0), categories(heap, 1), { ...amounts(2), min: 0.5 }, { ...amounts(3), min: 0.5 }],
    yAxis: [values(0, 'log'), values(1, 'value'), values(2, 'log'), values(3, 'log')],
    series: [
      ...bars(operations, 0, colour),
      ...bars(heap, 1, colour),
      bounds(
        heap.filter(({ on }) => on === 'rv32 wasm3'),
        1,
      ),
      ...lines(inFlight ?? [], 2, colour),
      ...lines(payload ?? [], 3, colour),
    ],
  };
  const drawn = init(null, null, { renderer: 'svg', ssr: true, width: WIDTH, height: HEIGHT });
  drawn.setOption(option);
  const svg = drawn.renderToSVGString();
  drawn.dispose();
  return `${withSchemes(svg)}\n`;
}

/** The same picture, dark where the reader's scheme is. */
function withSchemes(svg: string): string {
  const rules = Object.values(schemes).flatMap(([light, dark]) => [
    `[fill="${light}"]{fill:${dark}}`,
    `[stroke="${light}"]{stroke:${dark}}`,
  ]);
  return svg.replace(/(<svg[^>]*>)/, `$1\n<style>@media (prefers-color-scheme: dark){${rules.join('')}}</style>`);
}
