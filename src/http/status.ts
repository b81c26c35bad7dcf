// Status codes (RFC 9110 §15, RFC 6585): their phrases, and one plain sentence for each error, which is the body that is sent.

interface Meaning {
  readonly phrase: string
  readonly sentence: string
}

const MEANINGS: Readonly<Record<number, Meaning>> = Object.freeze({
  100: plain('Continue'),
  101: plain('Switching Protocols'),
  200: plain('OK'),
  201: plain('Created'),
  202: plain('Accepted'),
  203: plain('Non-Authoritative Information'),
  204: plain('No Content'),
  205: plain('Reset Content'),
  206: plain('Partial Content'),
  301: means('Moved Permanently', 'This has moved for good; the Location field says where to.'),
  302: means('Found', 'This is elsewhere for now; the Location field says where.'),
  303: means('See Other', 'The answer is elsewhere; the Location field says where.'),
  304: plain('Not Modified'),
  307: means('Temporary Redirect', 'This is elsewhere for now; the Location field says where.'),
  308: means('Permanent Redirect', 'This has moved for good; the Location field says where to.'),
  400: means('Bad Request', 'The request is not HTTP as this server understands it.'),
  401: means('Unauthorized', 'This needs credentials.'),
  403: means('Forbidden', 'This may not be read.'),
  404: means('Not Found', 'There is nothing here by that name.'),
  405: means('Method Not Allowed', 'This method is of no use here; the Allow field names those that are.'),
  406: means('Not Acceptable', 'This can not be had in a form that the request accepts.'),
  408: means('Request Timeout', 'The request took too long to arrive.'),
  409: means('Conflict', 'This does not fit the state that the resource is in.'),
  410: means('Gone', 'There was something here, and it will not come back.'),
  411: means('Length Required', 'The request must say how long its body is.'),
  412: means('Precondition Failed', 'A condition of the request does not hold.'),
  413: means('Content Too Large', 'The body of the request is larger than this server takes.'),
  414: means('URI Too Long', 'The address that was asked for is too long.'),
  415: means('Unsupported Media Type', 'This server can not read a body of that kind.'),
  416: means('Range Not Satisfiable', 'The range that was asked for lies beyond the end.'),
  417: means('Expectation Failed', 'The request expects something that this server does not do.'),
  421: means('Misdirected Request', 'This server does not answer for that host.'),
  422: means('Unprocessable Content', 'The body of the request makes no sense here.'),
  426: means('Upgrade Required', 'This can be had by another protocol only; the Upgrade field names it.'),
  429: means(
    'Too Many Requests',
    'Too many requests have come from there; the Retry-After field says when to try again.',
  ),
  431: means('Request Header Fields Too Large', 'The header fields of the request are too large, or too many.'),
  500: means('Internal Server Error', 'Something went wrong in this server.'),
  501: means('Not Implemented', 'This server does not know how to do that.'),
  502: means('Bad Gateway', 'The server behind this one gave no proper answer.'),
  503: means('Service Unavailable', 'This server has too much to do; the Retry-After field says when to try again.'),
  504: means('Gateway Timeout', 'The server behind this one gave no answer in time.'),
  505: means('HTTP Version Not Supported', 'This server speaks HTTP/1.1 and HTTP/1.0.'),
})

function plain(phrase: string): Meaning {
  return { phrase, sentence: '' }
}

function means(phrase: string, sentence: string): Meaning {
  return { phrase, sentence }
}

export function phraseOf(status: number): string {
  return MEANINGS[status]?.phrase ?? ''
}

/** What the body of an error says, unless somebody knows more. */
export function sentenceOf(status: number): string {
  return MEANINGS[status]?.sentence ?? ''
}

/** RFC 9110 §6.4.1: an answer of this status never has a body. */
export function isBodiless(status: number): boolean {
  return status < 200 || status === 204 || status === 304
}

/** Thrown by a handler, it is the answer; and what a request that can't be understood ends with. */
export class HttpError extends Error {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>

  constructor(status: number, message = sentenceOf(status), headers: Readonly<Record<string, string>> = {}) {
    super(message)
    this.name = 'HttpError'
    this.status = status
    this.headers = headers
  }
}
