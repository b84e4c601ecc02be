// A chart of ECharts in the page's colours. What it shows is also said in words: `summary` is what
// a screen reader reads, and every chart stands with a table of the figures.

import { useEffect, useRef } from 'preact/hooks';
import { useDark } from '../state.js';
import type { EChartsType } from './echarts.js';
import { nextTurn } from './turns.js';

/** Colours of the style sheet, for canvases. */
export interface Colours {
  text: string;
  muted: string;
  line: string;
  surface: string;
  accent: string;
  of(name: string): string;
}

export type ChartOption = Parameters<EChartsType['setOption']>[0];

interface ChartProps {
  summary: string;
  className: string;
  /** Called again when the colours change; same function, same chart. */
  option: (colours: Colours) => ChartOption;
  onClick?: (data: unknown) => void;
}

/**
 * Loads what charts need and draws one of each kind out of sight, ahead of the first: the browser
 * compiles code when it runs for the first time, which would hold the page up then.
 */
export async function preloadCharts(): Promise<void> {
  const { init } = await import('./echarts.js');
  const size = { width: 64, height: 64 };
  for (const option of WARMING) {
    const element = document.createElement('div');
    await nextTurn();
    const chart = init(element, undefined, size);
    await nextTurn();
    chart.setOption(option, { lazyUpdate: true });
    await nextTurn();
    await nextTurn();
    chart.dispose();
  }
}

const HIDDEN = { show: false } as const;
const AXES = { xAxis: { type: 'category', data: ['a', 'b'] }, yAxis: {} } as const;
const LEAF = { name: 'b', value: 1 };
/** Each has little that the one before had not. */
const WARMING: readonly ChartOption[] = [
  { animation: false },
  { animation: false, xAxis: HIDDEN, yAxis: HIDDEN },
  { ...AXES, animation: false },
  { ...AXES, animation: false, series: [{ type: 'bar', data: [1, 2] }] },
  { animation: false, series: [{ type: 'treemap', data: [LEAF] }] },
  { animation: false, series: [{ type: 'treemap', data: [{ name: 'a', children: [LEAF] }] }] },
];

function colours(): Colours {
  const style = getComputedStyle(document.documentElement);
  const of = (name: string) => style.getPropertyValue(`--${name}`).trim();
  return {
    ...{ text: of('text'), muted: of('muted'), line: of('line'), surface: of('surface') },
    ...{ accent: of('accent'), of },
  };
}

/** Text of tooltips is drawn, not HTML: the CSP forbids inline styles. */
function withTooltip(option: ChartOption, { text, surface, line }: Colours): ChartOption {
  const tooltip = {
    ...{ renderMode: 'richText', backgroundColor: surface, borderColor: line },
    textStyle: { color: text, fontSize: 12 },
  };
  return { ...option, tooltip: { ...tooltip, ...(option.tooltip as object | undefined) } };
}

export function Chart({ summary, className, option, onClick }: ChartProps) {
  const place = useRef<HTMLDivElement>(null);
  const chart = useRef<EChartsType>(undefined);
  const click = useRef(onClick);
  click.current = onClick;
  const isDark = useDark();

  useEffect(() => {
    let isGone = false;
    const draw = async () => {
      const { init } = await import('./echarts.js');
      await nextTurn();
      const element = place.current;
      if (isGone || element === null) return;
      if (chart.current === undefined) {
        chart.current = init(element);
        chart.current.on('click', ({ data }) => click.current?.(data));
        await nextTurn();
        if (isGone) return;
      }
      const now = colours();
      const how = { notMerge: true, lazyUpdate: true };
      chart.current?.setOption(withTooltip(option(now), now), how);
    };
    void draw();
    return () => {
      isGone = true;
    };
    // isDark: the colours follow it
  }, [option, isDark]);

  useEffect(() => {
    const element = place.current as HTMLDivElement;
    const observer = new ResizeObserver(() => void refit());
    const refit = async () => {
      await nextTurn();
      const now = chart.current;
      const isSame =
        now?.getWidth() === element.clientWidth && now.getHeight() === element.clientHeight;
      if (!isSame && element.clientWidth > 0) now?.resize();
    };
    observer.observe(element);
    return () => {
      observer.disconnect();
      chart.current?.dispose();
      chart.current = undefined;
    };
  }, []);

  return <div ref={place} class={`chart ${className}`} role="img" aria-label={summary} />;
}
