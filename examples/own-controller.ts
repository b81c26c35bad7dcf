// A congestion controller of one's own: Scalable TCP (Kelly, 2003), which takes a segment more for each hundred that arrive, and gives
// an eighth for a loss. It stands on NewReno, which has slow start, recovery, idle windows and undoing. Run by itself, it
// sends 20 MB over a simulated path with one loss in a thousand, and so does NewReno.
import { pathToFileURL } from 'node:url'
import { type CongestionSettings, LARGEST_WINDOW, Reno } from 'tunstack/core'
import { simulate } from 'tunstack/simulate'

export class Scalable extends Reno {
  override get name(): string {
    return 'scalable'
  }

  protected override get betaLost(): number {
    return 7 / 8
  }

  protected override avoid(octets: number): void {
    this.cwnd = Math.min(this.cwnd + Math.ceil(Math.min(octets, this.cwnd) / 100), LARGEST_WINDOW)
  }
}

export const scalable = (settings: CongestionSettings): Reno => new Scalable(settings)

/** Virtual milliseconds for 20 MB. */
function measure(congestion: 'reno' | typeof scalable): number {
  const network = simulate({ seed: 7 })
  const [client, server] = [network.host('client', { tcp: { congestion } }), network.host('server')]
  network.link(client, server, { delay: 50, rate: 100, loss: 0.001 })
  const listener = server.stack.listen({ port: 80 })
  listener.onConnection = (peer) => (peer.onReadable = () => peer.look((_octets, _start, length) => length))
  const sender = client.stack.connect({ address: server.address, port: 80 })
  sender.onOpen = sender.onWritable = () => {
    while (sender.send(new Uint8Array(65_536)) > 0);
  }
  while (sender.info().octetsAcked < 20_000_000) network.advance(network.now() + 10)
  return network.now()
}
if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  console.log(`reno: ${measure('reno')} ms, scalable: ${measure(scalable)} ms`)
}
