// What work costs, so that a test can say that it does not grow with a square. In processor time, of which others on the same machine
// take nothing, and the least of several runs: the first ones are slow, and garbage is collected in some.

/** Milliseconds of processor time that `work` takes at least; `prepare` makes what it works on, at no cost. */
export function leastCost<Given>(prepare: () => Given, work: (given: Given) => void, runs = 5): number {
  let least = Number.POSITIVE_INFINITY
  for (let run = 0; run < runs; run++) {
    const given = prepare()
    const before = process.cpuUsage()
    work(given)
    const { user, system } = process.cpuUsage(before)
    least = Math.min(least, (user + system) / 1000)
  }
  return least
}
