// A program that begins by being imported.
import { createServer } from 'node:http'

export const begun = Date.now()

createServer((_request, response) => {
  setTimeout(() => response.end(`since ${begun}`), 1000)
}).listen(80)
