// Ended by hand, a run takes its namespaces and what runs in them along: their makers do that when the process exits, which a signal alone is not.

export function exitOnSignals(): void {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1))
}
