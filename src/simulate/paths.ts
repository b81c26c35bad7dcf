// The shortest paths between the hosts of a network, counted in links, kept up as links are added.
// Only routers lead on. Each host gets a route to every address that it can reach; a shorter path has the better metric.
import type { Host, Port } from './host.ts'

interface Way {
  links: number
  /** By which of our ports it begins. */
  by: Port
}

export class Paths {
  readonly #ways = new Map<Host, Map<Host, Way>>()

  addHost(host: Host): void {
    this.#ways.set(host, new Map())
  }

  /** A link was added, with a port at each of its ends. */
  addLink(one: Host, onePort: Port, other: Host, otherPort: Port): void {
    for (const source of this.#ways.keys()) {
      this.#spread(source, one, onePort)
      this.#spread(source, other, otherPort)
    }
  }

  /** A host has a new stack, which knows no way yet. */
  restore(host: Host): void {
    for (const [to, way] of this.#ways.get(host)!) this.#route(host, to, way)
  }

  #route(source: Host, { addresses }: Host, { links, by }: Way): void {
    for (const destination of addresses) {
      source.stack.addRoute({ destination, interface: by.interface, metric: links })
    }
  }

  /** All that comes nearer to `source` by way of `through` and the port there that leads on. */
  #spread(source: Host, through: Host, port: Port): void {
    const ways = this.#ways.get(source)!
    const way = through === source ? { links: 0, by: port } : ways.get(through)
    if (way === undefined || !(through === source || through.forward)) return
    const reached = [{ host: port.peer, links: way.links + 1 }]
    for (const { host, links } of reached) {
      if (host === source || (ways.get(host)?.links ?? Number.POSITIVE_INFINITY) <= links) continue
      const found = { links, by: way.by }
      ways.set(host, found)
      this.#route(source, host, found)
      if (host.forward) for (const { peer } of host.ports) reached.push({ host: peer, links: links + 1 })
    }
  }
}
