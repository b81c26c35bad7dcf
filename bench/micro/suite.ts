// What a suite of micro-benchmarks is: cases by their names, each of which makes the call that is timed.

export type Suite = Record<string, () => () => unknown>
