/** Twelve that stay apart, dark enough for a white number in them and light enough for a dark page. */
const GROUPS = [
  '#2f6db5',
  '#bd5a1f',
  '#2e8555',
  '#8e4aa0',
  '#9a7415',
  '#b83a56',
  '#1f8494',
  '#6558c4',
  '#77664f',
  '#557a22',
  '#a64380',
  '#4b6b80',
];

type Colour = readonly [number, number, number];

/** From nearly the page to the strongest, for each scheme; the page itself in the middle of the other. */
const HEAT: Readonly<Record<'light' | 'dark', { from: Colour; to: Colour }>> = {
  light: { from: [232, 240, 250], to: [20, 66, 122] },
  dark: { from: [30, 42, 58], to: [150, 200, 255] },
};

/** `.k3` for a swatch of the fourth group, `.f3` for its circle. */
export function groupRules(): string {
  return GROUPS.map((colour, index) => `.k${index}{background:${colour}}.f${index}{fill:${colour}}`).join('\n');
}

/** `.h1` to `.h9`, with letters that can be read on each: black or white, whichever has more contrast. */
export function heatRules(scheme: 'light' | 'dark'): string {
  const { from, to } = HEAT[scheme];
  const rules: string[] = [];
  for (let level = 1; level <= 9; level += 1) {
    const part = (level - 1) / 8;
    const colour = from.map((value, index) =>
      Math.round(value + ((to[index] ?? 0) - value) * part),
    ) as unknown as Colour;
    const ink = luminance(colour) > 0.18 ? '#0b0f14' : '#fff';
    rules.push(`.h${level}{background:rgb(${colour.join(',')});color:${ink}}`);
  }
  return rules.join('\n');
}

/** Relative luminance (WCAG 2): above 0.18 black has more contrast than white. */
function luminance(colour: Colour): number {
  const [red, green, blue] = colour.map((value) => {
    const part = value / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
