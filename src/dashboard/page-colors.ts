// The page's colours for what is drawn on a canvas: read from the style sheet, read anew when they change.

const NAMES = [
  'ink',
  'soft',
  'faint',
  'line',
  'card',
  'client',
  'server',
  'ack',
  'window',
  'again',
  'sack',
  'cwnd',
  'flight',
] as const
export type ColorName = (typeof NAMES)[number]

let colors: Record<string, string> | null = null
const listeners = new Set<() => void>()

export function color(name: ColorName): string {
  colors ??= readColors()
  return colors[name]
}

function readColors(): Record<string, string> {
  const style = getComputedStyle(document.documentElement)
  return Object.fromEntries(NAMES.map((name) => [name, style.getPropertyValue(`--${name}`).trim()]))
}

/** Calls back whenever they have changed, until the returned function is called. */
export function onColors(listener: () => void): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

export function colorsChanged(): void {
  colors = null
  for (const listener of listeners) listener()
}
