// How figures are said in the sentences of explain.

export function milliseconds(value: number): string {
  const rounded = Math.abs(value)
  if (rounded >= 10_000) return `${(value / 1000).toFixed(1)} s`
  if (rounded >= 1000) return `${(value / 1000).toFixed(2)} s`
  return `${value.toFixed(rounded >= 100 ? 0 : rounded >= 1 ? 1 : 3)} ms`
}

export function octets(value: number): string {
  return value === 1 ? '1 octet' : `${value.toLocaleString('en-US')} octets`
}

export function counted(value: number, one: string, many = `${one}s`): string {
  return `${value.toLocaleString('en-US')} ${value === 1 ? one : many}`
}

export function times(value: number): string {
  return value === 1 ? 'once' : value === 2 ? 'twice' : `${value} times`
}

export function percentOf(part: number, whole: number): string {
  return whole === 0 ? '0%' : `${((100 * part) / whole).toFixed(part === 0 ? 0 : 2)}%`
}
