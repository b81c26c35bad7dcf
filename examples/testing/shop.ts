// An ordinary service: it knows nothing of tests. It asks another service over HTTP, waits two seconds for each answer, and tries five times.
import http from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'

async function stockOf(article: string): Promise<string> {
  for (let attempt = 1; ; attempt++) {
    try {
      const response = await fetch(`http://stock/${article}`, { signal: AbortSignal.timeout(2000) })
      return await response.text()
    } catch (error) {
      if (attempt === 5) throw error
      await sleep(1000)
    }
  }
}

export function startShop(): http.Server {
  const server = http.createServer(async (request, response) => {
    try {
      response.end(await stockOf((request.url ?? '/').slice(1)))
    } catch (error) {
      response.statusCode = 502
      response.end((error as Error).message)
    }
  })
  return server.listen(80)
}
