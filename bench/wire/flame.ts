// A flame graph of a V8 CPU profile as an SVG that needs nothing else: who called stands below, the width is the time, and the rest of a
// frame's words are shown when it is pointed at. Also the same profile as lines: the functions that took most time themselves.

export interface CpuProfile {
  nodes: ProfileNode[]
  samples: number[]
  timeDeltas: number[]
}

interface ProfileNode {
  id: number
  callFrame: { functionName: string; url: string; lineNumber: number }
  children?: number[]
}

interface Frame {
  name: string
  place: string
  /** Microseconds: in itself, and with all that it called. */
  self: number
  total: number
  called: Frame[]
}

const WIDTH = 1400
const ROW = 17
const LETTER = 6.6
/** Narrower ones can't be seen. */
const NARROWEST = 0.4
const HIDDEN = new Set(['(root)', '(idle)'])

export function flameGraph(profile: CpuProfile, title: string): string {
  const frames = framesOf(profile).filter(({ name }) => !HIDDEN.has(name))
  const total = frames.reduce((sum, frame) => sum + frame.total, 0)
  const rows = Math.max(1, ...frames.map(depthOf))
  const height = (rows + 2) * ROW
  const parts: string[] = []
  let at = 0
  for (const frame of frames) {
    draw(parts, frame, at, WIDTH / total, height - ROW, total)
    at += (frame.total * WIDTH) / total
  }
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" font-family="monospace" font-size="11">`,
    `<rect width="100%" height="100%" fill="#fff"/><text x="4" y="12">${escaped(title)}</text>`,
    ...parts,
    '</svg>\n',
  ].join('\n')
}

/** The `count` functions in which most of the time was spent, with their parts of it. */
export function hottest(profile: CpuProfile, count: number): { name: string; part: number }[] {
  const selves = new Map<string, number>()
  let total = 0
  const visit = (frame: Frame) => {
    if (!HIDDEN.has(frame.name)) {
      const key = `${frame.name} ${frame.place}`.trim()
      selves.set(key, (selves.get(key) ?? 0) + frame.self)
      total += frame.self
    }
    frame.called.forEach(visit)
  }
  framesOf(profile).forEach(visit)
  return [...selves]
    .sort(([, one], [, other]) => other - one)
    .slice(0, count)
    .map(([name, self]) => ({ name, part: self / total }))
}

/** What the root called. */
function framesOf({ nodes, samples, timeDeltas }: CpuProfile): Frame[] {
  const frames = new Map<number, Frame>()
  for (const { id, callFrame } of nodes) {
    const { functionName, url, lineNumber } = callFrame
    const place = url === '' ? '' : `${url.replace(/^.*\/(dist|bench|node_modules)\//, '')}:${lineNumber + 1}`
    frames.set(id, { name: functionName || '(anonymous)', place, self: 0, total: 0, called: [] })
  }
  for (const { id, children } of nodes) {
    const caller = frames.get(id) as Frame
    for (const child of children ?? []) {
      const frame = frames.get(child) as Frame
      if (isNative(frame)) frame.name = `native code called by ${caller.name}`
      caller.called.push(frame)
    }
  }
  samples.forEach((id, at) => {
    const frame = frames.get(id)
    if (frame !== undefined) frame.self += timeDeltas[at + 1] ?? 0
  })
  const root = frames.get(nodes[0].id) as Frame
  sum(root)
  return root.called
}

/** V8 knows functions of an addon by the code that they have in common: all have the name of one, so that only their callers tell them apart. */
function isNative({ name, place }: Frame): boolean {
  return place === '' && !name.startsWith('(')
}

function sum(frame: Frame): number {
  frame.total = frame.called.reduce((total, one) => total + sum(one), frame.self)
  return frame.total
}

function depthOf({ called, total }: Frame): number {
  return total === 0 ? 0 : 1 + Math.max(0, ...called.map(depthOf))
}

function draw(parts: string[], frame: Frame, x: number, scale: number, y: number, whole: number): void {
  const width = frame.total * scale
  if (width < NARROWEST) return
  const words = `${frame.name} ${frame.place}`.trim()
  const share = `${((frame.total / whole) * 100).toFixed(1)}%, itself ${((frame.self / whole) * 100).toFixed(1)}%`
  const label = words.slice(0, Math.max(0, Math.floor((width - 4) / LETTER)))
  const text = label.length < 3 ? '' : `<text x="${(x + 2).toFixed(1)}" y="${y + 12}">${escaped(label)}</text>`
  const box = `<rect x="${x.toFixed(1)}" y="${y}" width="${Math.max(width - 0.3, 0.2).toFixed(1)}" height="${ROW - 1}" fill="${colour(frame)}"/>`
  parts.push(`<g><title>${escaped(`${words}: ${share}`)}</title>${box}${text}</g>`)
  let at = x
  for (const one of [...frame.called].sort((a, b) => b.total - a.total)) {
    draw(parts, one, at, scale, y - ROW, whole)
    at += one.total * scale
  }
}

/** By where it is written: the protocols, the rest of ours, Node's own, the engine's. */
function colour({ name, place }: Frame): string {
  if (name.startsWith('(')) return name === '(garbage collector)' ? '#e66' : '#ccc'
  if (place.startsWith('core/')) return '#f5b041'
  if (place.startsWith('node:')) return '#9fc5e8'
  return place === '' ? '#b6d7a8' : '#f7dc6f'
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
