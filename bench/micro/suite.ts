// What a suite of micro-benchmarks is: cases by their names, each of which makes the call that is timed.

export type Prepare = () => () => unknown

/** A case whose call handles more than one of something: its rates are told too, and whatever else it has to tell. */
export interface Measured {
  prepare: Prepare
  /** How many of what a call handles; asked after it has been called. */
  handles(): Record<string, number>
  /** Further figures, by their units. */
  figures?(): Promise<Record<string, number>>
}

export type Suite = Record<string, Prepare | Measured>
