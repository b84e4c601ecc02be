// Text on a colour: whichever of black and white can be read better, at least 4.58 to 1.

/** Relative luminance as WCAG 2 defines it, of #rrggbb. */
export function luminance(colour: string): number {
  const [r = 0, g = 0, b = 0] = [1, 3, 5].map((at) => {
    const part = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

export function textOn(colour: string): string {
  const ground = luminance(colour) + 0.05;
  return 1.05 / ground >= ground / 0.05 ? '#ffffff' : '#000000';
}
