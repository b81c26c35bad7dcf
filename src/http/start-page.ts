// The page at `/`: what whoever reads it has just done, told with the figures of this very connection. Works without scripts.
import { escapeHtml } from './html.ts'
import type { HttpRequest } from './request.ts'
import { HttpResponse } from './response.ts'
import { type Ladder, ladder } from './start-ladder.ts'
import { STYLE } from './start-style.ts'

/** What the head of this answer and the page come to, about. */
const PAGE_OCTETS = 7500

/** What else can be looked at: a dashboard at `/_tunstack/`, counters at `/metrics`. */
export interface StartPageOptions {
  hasDashboard?: boolean
  hasMetrics?: boolean
}

export function startPage(request: HttpRequest, options: StartPageOptions = {}): HttpResponse {
  return HttpResponse.html(page(request, options), { headers: { 'Cache-Control': 'no-store' } })
}

function page(request: HttpRequest, { hasDashboard = false, hasMetrics = false }: StartPageOptions): string {
  const { endpoint, number } = request
  const info = endpoint.info()
  const segments = Math.max(1, Math.ceil(PAGE_OCTETS / Math.max(1, info.sendMss)))
  const drawn: Ladder = {
    client: `${endpoint.remoteAddress}`,
    clientPort: endpoint.remotePort,
    server: `${endpoint.localAddress}`,
    serverPort: endpoint.localPort,
    clientNumber: endpoint.connection.irs >>> 0,
    serverNumber: endpoint.connection.iss >>> 0,
    request: `${request.method} ${request.target}`,
    segments,
    mss: info.sendMss,
  }
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>You have reached tunstack</title><link rel="icon" href="data:,"><style>${STYLE}</style></head><body><main>
<p class="mark">tunstack</p>
<h1>You have just talked to a TCP/IP stack written in TypeScript.</h1>
<p class="lead">No kernel answered at ${escapeHtml(drawn.server)}. Your packets went through a TUN device into one program, which took
them apart, found your connection, read your request and wrote this page, segment by segment. ${nth(number)}</p>
<section><h2>What went over the wire</h2>${ladder(drawn)}
<p>Your SYN came from port <b>${drawn.clientPort}</b> with the sequence number <b>${drawn.clientNumber}</b>. Ours is a keyed hash of both
addresses and ports and the time, so that nobody can guess it: <b>${drawn.serverNumber}</b>. So far <b>${info.segmentsIn}</b> packets of
yours have come and <b>${info.segmentsOut}</b> of ours have gone; this page makes about ${segments} more, all in one flight, since a new
connection may have ${info.sendCwnd} segments of ${info.sendMss} octets under way (RFC 6928).</p></section>
<section><h2>This very connection</h2>${table(info)}</section>
<section><h2>Look closer</h2>${commands(drawn.server, drawn.serverPort)}</section>
<footer>Reload, and the same connection carries the next request. ${hasDashboard ? '<a href="/_tunstack/">Dashboard</a> ' : ''}<a href="/_tunstack/connections">Who is connected</a>
${hasMetrics ? '<a href="/metrics">Counters</a> ' : ''}<a href="/_tunstack/events">A stream of events</a></footer>
</main></body></html>
`
}

function nth(number: number): string {
  if (number === 0) return 'This is the first request of your connection.'
  return `This is request ${number + 1} of your connection, which needed no new handshake.`
}

function table(info: ReturnType<HttpRequest['endpoint']['info']>): string {
  const rows: [string, string][] = [
    [
      'Round trip',
      info.rtt === 0
        ? 'not measured yet'
        : `${(info.rtt / 1000).toFixed(3)} ms, and up to ${Math.round(info.rto / 1000)} ms until we would send again`,
    ],
    ['Path', `packets of up to ${info.pathMtu} octets, ${info.sendMss} of them yours to read`],
    ['Agreed on', agreed(info)],
    ['Congestion control', `${info.congestionControl}, with a window of ${info.sendCwnd} segments`],
    ['You may be sent', `${info.sendWindow} octets before you acknowledge any`],
    ['You may send', `${info.receiveWindow} octets`],
    ['Sent again', info.totalRetransmits === 0 ? 'nothing was lost' : `${info.totalRetransmits} segments`],
    ['Octets', `${info.octetsReceived} from you, ${info.octetsAcked} to you and acknowledged`],
  ]
  return `<table>${rows.map(([name, value]) => `<tr><th>${name}</th><td>${escapeHtml(value)}</td></tr>`).join('')}</table>`
}

function agreed({
  selectiveAcks,
  timestamps,
  windowScaling,
  sendScale,
  receiveScale,
}: ReturnType<HttpRequest['endpoint']['info']>) {
  const options = [
    selectiveAcks ? 'selective acknowledgments' : '',
    timestamps ? 'timestamps' : '',
    windowScaling ? `window scaling (yours by 2^${sendScale}, ours by 2^${receiveScale})` : '',
  ].filter((option) => option !== '')
  return options.length === 0 ? 'nothing but plain TCP' : options.join(', ')
}

function commands(address: string, port: number): string {
  const host = address.includes(':') ? `[${address}]` : address
  const base = `http://${host}${port === 80 ? '' : `:${port}`}`
  const lines: [string, string][] = [
    [`ss -tin dst ${host}`, 'the other end of this, as your kernel sees it'],
    [`tcpdump -nni tun0 tcp port ${port}`, 'every packet'],
    [`curl -v ${base}/`, 'this page as text'],
    [`curl -T FILE ${base}/_tunstack/count`, 'octets the other way, counted'],
    [`curl -N ${base}/_tunstack/events`, 'one connection that stays open'],
  ]
  return `<dl>${lines.map(([line, what]) => `<dt><code>${escapeHtml(line)}</code></dt><dd>${what}</dd>`).join('')}</dl>`
}
