// Whether a silent peer is still there (RFC 9293 §3.8.4: MAY-5). MUST-25: made only where the application asks for it.
// Durations are milliseconds, as in the settings: two hours of microseconds would not fit an int32.

export const Decision = { wait: 0, probe: 1, giveUp: 2 } as const

export class KeepAlive {
  idle: number
  interval: number
  probes: number
  /** Probes in a row without an answer. */
  #unanswered = 0

  constructor(idle: number, interval: number, probes: number) {
    this.idle = idle
    this.interval = interval
    this.probes = probes
  }

  /** MUST-26: what to do after `silence`, the time since anything came or went: a value of `Decision`. */
  decide(silence: number): number {
    if (silence < this.idle + this.#unanswered * this.interval) return Decision.wait
    // MUST-29: one probe without an answer proves nothing.
    return this.#unanswered >= this.probes ? Decision.giveUp : Decision.probe
  }

  /** Milliseconds after the silence began at which `decide` must next be asked. */
  get nextAfter(): number {
    return this.idle + this.#unanswered * this.interval
  }

  onProbe(): void {
    this.#unanswered++
  }

  /** Anything came from the peer. */
  onHeard(): void {
    this.#unanswered = 0
  }
}
