// The service that the shop asks.
import http from 'node:http'

const stock: Record<string, number> = { apples: 12, pears: 0 }

export function startStock(): http.Server {
  const server = http.createServer((request, response) => {
    response.end(`${stock[(request.url ?? '/').slice(1)] ?? 'no such article'}`)
  })
  return server.listen(80)
}
