// What a claim is: a figure that is measured on the spot, and the bar that it is held against.

export interface Claim {
  name: string
  /** In words, with its unit: 'no loss'. */
  bar: string
  measure(): Promise<Verdict>
}

export interface Verdict {
  figure: string
  holds: boolean
}

/** Thrown by a measurement that this machine can't make (no privilege, no second architecture); the claim is then not shown. */
export class CannotMeasure extends Error {}
