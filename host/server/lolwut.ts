// LOLWUT's pictures. Version 5 is Georg Nees' "Schotter" of 1968, drawn with Braille dots; version
// 6 a skyline of characters. What Redis draws for 6 is a work of its own and not copied here.

import { REDIS_VERSION } from '../config/index.js';

/** A number from 0 to 1. */
type Draw = () => number;

/** Good enough for pictures. */
function drawFrom(seed: number): Draw {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Dots, two columns and four rows to a character. */
class Canvas {
  readonly #width: number;
  readonly #height: number;
  readonly #dots: Uint8Array;

  constructor(width: number, height: number) {
    this.#width = width;
    this.#height = height;
    this.#dots = new Uint8Array(width * height);
  }

  #dot(x: number, y: number): void {
    if (x < 0 || y < 0 || x >= this.#width || y >= this.#height) return;
    this.#dots[y * this.#width + x] = 1;
  }

  line(x0: number, y0: number, x1: number, y1: number): void {
    const steps = Math.max(1, Math.abs(x1 - x0), Math.abs(y1 - y0));
    for (let i = 0; i <= steps; i++) {
      this.#dot(Math.round(x0 + ((x1 - x0) * i) / steps), Math.round(y0 + ((y1 - y0) * i) / steps));
    }
  }

  text(): string {
    const bits = [
      [0x01, 0x08],
      [0x02, 0x10],
      [0x04, 0x20],
      [0x40, 0x80],
    ];
    let out = '';
    for (let top = 0; top < this.#height; top += 4) {
      for (let left = 0; left < this.#width; left += 2) {
        let cell = 0x2800;
        for (const [dy, row] of bits.entries()) {
          for (const [dx, bit] of row.entries()) {
            if (this.#dots[(top + dy) * this.#width + left + dx]) cell |= bit;
          }
        }
        out += String.fromCharCode(cell);
      }
      out += '\n';
    }
    return out;
  }
}

function square(canvas: Canvas, center: [number, number], size: number, angle: number): void {
  const radius = size / Math.SQRT2;
  const corners = [0, 1, 2, 3].map((i) => {
    const turn = angle + Math.PI / 4 + (i * Math.PI) / 2;
    return [
      Math.round(Math.sin(turn) * radius + center[0]),
      Math.round(Math.cos(turn) * radius + center[1]),
    ] as const;
  });
  for (const [i, [x, y]] of corners.entries()) {
    const [nextX, nextY] = corners[(i + 1) % 4]!;
    canvas.line(x, y, nextX, nextY);
  }
}

const clamp = (value: number, max: number): number => Math.min(Math.max(value, 1), max);

/** Redis allows 200: half of it is drawn before anybody notices. */
const SQUARES_MAX = 100;

/** Rows of squares that lose their order on the way down. */
function schotter([cols = 66, perRow = 8, perCol = 12]: readonly number[], draw: Draw): string {
  const width = clamp(cols, 1000) * 2;
  const [across, down] = [clamp(perRow, SQUARES_MAX), clamp(perCol, SQUARES_MAX)];
  const padding = width > 4 ? 2 : 0;
  const side = (width - padding * 2) / across;
  const height = Math.ceil((side * down + padding * 2) / 4) * 4;
  const canvas = new Canvas(width, height);
  for (let row = 0; row < down; row++) {
    // The first third stays tidy.
    const disorder = Math.max(0, row - Math.floor(down / 3)) / Math.max(1, down);
    const jitter = (): number => (draw() - 0.5) * 2 * disorder;
    for (let col = 0; col < across; col++) {
      const x = col * side + side / 2 + padding + jitter() * side * 0.5;
      const y = row * side + side / 2 + padding + jitter() * side * 0.5;
      square(canvas, [x, y], side, jitter() * (Math.PI / 2));
    }
  }
  return `${canvas.text()}\nGeorg Nees - schotter, plotter on paper, 1968.`;
}

const SHADES = ['░', '▒', '▓', '█'];

/** Four rows of houses, the nearest the darkest. */
function skyline([cols = 80, rows = 20]: readonly number[], draw: Draw): string {
  const [width, height] = [clamp(cols, 1000), clamp(rows, 1000)];
  const grid = Array.from({ length: height }, () => new Array<string>(width).fill(' '));
  for (const [depth, shade] of SHADES.entries()) {
    for (let left = 0; left < width; ) {
      const wide = 3 + Math.floor(draw() * 8);
      const tall = Math.floor((height * (SHADES.length - depth + draw() * 2)) / 7);
      const hasWindows = depth === SHADES.length - 1;
      for (let y = height - tall; y < height; y++) {
        for (let x = left; x < Math.min(left + wide, width); x++) {
          const isWindow = hasWindows && (x - left) % 2 === 1 && (height - y) % 2 === 0;
          if (y >= 0) grid[y]![x] = isWindow && draw() < 0.4 ? '·' : shade;
        }
      }
      left += wide + Math.floor(draw() * 4);
    }
  }
  return `${grid.map((line) => `${line.join('')}\n`).join('')}\nA skyline at dusk.`;
}

/** The reply of LOLWUT in a version, with the numbers that followed it. */
export function lolwutText(version: number, numbers: readonly number[], seed: number): string {
  const draw = drawFrom(seed);
  const ending = `Redis ver. ${REDIS_VERSION}\n`;
  if (version === 5) return `${schotter(numbers, draw)} ${ending}`;
  if (version === 6) return `${skyline(numbers, draw)} ${ending}`;
  return ending;
}
