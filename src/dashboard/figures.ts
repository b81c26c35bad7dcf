// Numbers as people read them: octets, rates, durations. Narrow, and of the same width from one moment to the next where that can be.

export function octets(value: number): string {
  if (!Number.isFinite(value)) return '–'
  if (Math.abs(value) < 1000) return `${Math.round(value)} B`
  const [scaled, unit] = value < 1e6 ? [value / 1e3, 'kB'] : value < 1e9 ? [value / 1e6, 'MB'] : [value / 1e9, 'GB']
  return `${three(scaled)} ${unit}`
}

/** Of octets a second. */
export function rate(value: number): string {
  const bits = value * 8
  if (!Number.isFinite(bits)) return '–'
  if (bits < 1000) return `${Math.round(bits)} bit/s`
  const [scaled, unit] =
    bits < 1e6 ? [bits / 1e3, 'kbit/s'] : bits < 1e9 ? [bits / 1e6, 'Mbit/s'] : [bits / 1e9, 'Gbit/s']
  return `${three(scaled)} ${unit}`
}

export function milliseconds(value: number): string {
  if (!Number.isFinite(value)) return '–'
  if (value >= 10_000) return `${three(value / 1000)} s`
  if (value === 0) return '0 ms'
  if (value < 1) return `${three(value * 1000)} µs`
  return `${three(value)} ms`
}

/** A moment of an experiment: three places after the point, always. */
export function moment(value: number): string {
  return `${value.toFixed(3)} ms`
}

export function count(value: number): string {
  return Math.round(value).toLocaleString('en-US').replaceAll(',', ' ')
}

function three(value: number): string {
  return value >= 100 ? String(Math.round(value)) : value.toPrecision(3)
}

/** For the marks of an axis: no noughts behind the point, and nothing is zero of a unit. */
export function short(text: string): string {
  return text
    .replace(/(\.\d*?)0+(?= )/, '$1')
    .replace(/\.(?= )/, '')
    .replace(/^0 .*/, '0')
}
