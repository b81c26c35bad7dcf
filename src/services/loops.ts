// Two small services that answer each other never stop (CVE-1999-0103): those that answer, answer nobody at a well-known port.

const FIRST_ORDINARY_PORT = 1024

export function isLoopProne(sourcePort: number): boolean {
  return sourcePort < FIRST_ORDINARY_PORT
}
