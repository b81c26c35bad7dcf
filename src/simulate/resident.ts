// What lives on a host beside its stack, and shares its fate: the timers of the program there, in Node its sockets too.
// A host tells its residents of a crash, of a restart and of a pause, and asks them at the end what they still hold.

/** Something that a program should have let go of before its test ended. */
export interface Held {
  readonly host: string
  readonly kind: 'socket' | 'server' | 'timer'
  /** In plain words: `from port 49152 to database:5432, ESTABLISHED`. */
  readonly what: string
}

export interface Resident {
  /** The power has gone: it drops everything at once, and tells nobody. The host's stack is dead already. */
  crash?(): void
  /** The host is up again, and has a new stack; the program starts after this. */
  restart?(): void
  /** Nothing of the program may run before `until`, of the network's clock. */
  pause?(until: number): void
  held?(): readonly Held[]
}
