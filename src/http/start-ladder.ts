// The handshake and the request as a ladder of arrows between the two ends, drawn as SVG.
import { escapeHtml } from './html.ts'

export interface Ladder {
  readonly client: string
  readonly clientPort: number
  readonly server: string
  readonly serverPort: number
  readonly clientNumber: number
  readonly serverNumber: number
  readonly request: string
  readonly segments: number
  readonly mss: number
}

const LEFT = 60
const RIGHT = 580
const STEP = 52
const LONGEST = 40

export function ladder(ladder: Ladder): string {
  const { clientNumber, serverNumber, segments, mss } = ladder
  const request = ladder.request.length > LONGEST ? `${ladder.request.slice(0, LONGEST)}…` : ladder.request
  const arrows: [boolean, string][] = [
    [true, `SYN, seq ${clientNumber}`],
    [false, `SYN and ACK, seq ${serverNumber}, ack ${(clientNumber + 1) >>> 0}`],
    [true, `ACK ${(serverNumber + 1) >>> 0}: the connection stands`],
    [true, escapeHtml(request)],
    [false, `200 OK and this page: ${segments} of up to ${mss} octets`],
  ]
  const height = 70 + arrows.length * STEP
  const lines = arrows.map(([isYours, text], place) => arrow(isYours, text, 70 + place * STEP))
  return `<svg viewBox="0 0 640 ${height}" role="img" aria-label="The packets of this connection">
<text x="${LEFT}" y="18" text-anchor="start" style="fill:var(--you)">you ${escapeHtml(ladder.client)}:${ladder.clientPort}</text>
<text x="${RIGHT}" y="18" text-anchor="end" style="fill:var(--us)">tunstack ${escapeHtml(ladder.server)}:${ladder.serverPort}</text>
<path d="M${LEFT} 30V${height}" style="stroke:var(--you)" stroke-width="2"/><path d="M${RIGHT} 30V${height}" style="stroke:var(--us)" stroke-width="2"/>
${lines.join('\n')}</svg>`
}

function arrow(isYours: boolean, text: string, y: number): string {
  const [from, to] = isYours ? [LEFT + 6, RIGHT - 6] : [RIGHT - 6, LEFT + 6]
  const back = isYours ? -9 : 9
  const colour = isYours ? 'var(--you)' : 'var(--us)'
  const end = y + 18
  const path = `M${from} ${y}L${to} ${end}m${back} -6l${-back} 6l${back} 5`
  return `<path d="${path}" fill="none" style="stroke:${colour}" stroke-width="1.6"/><text x="320" y="${y - 2}" text-anchor="middle">${text}</text>`
}
