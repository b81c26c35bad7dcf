// Cookies (RFC 6265): those that came with a request, and the line that sets one.
import { httpDate } from './date.ts'
import { isTokenText } from './octets.ts'

/** What the Cookie field says; of two of one name the first. */
export function parseCookies(field: string | null): ReadonlyMap<string, string> {
  const cookies = new Map<string, string>()
  if (field === null) return cookies
  for (const pair of field.split(';')) {
    const place = pair.indexOf('=')
    if (place < 0) continue
    const name = pair.slice(0, place).trim()
    const value = pair.slice(place + 1).trim()
    const bare = value.length > 1 && value.startsWith('"') && value.endsWith('"') ? value.slice(1, -1) : value
    if (name !== '' && !cookies.has(name)) cookies.set(name, decoded(bare))
  }
  return cookies
}

export interface CookieOptions {
  domain?: string
  path?: string
  /** Seconds. */
  maxAge?: number
  /** Milliseconds since 1970. */
  expires?: number
  secure?: boolean
  httpOnly?: boolean
  sameSite?: 'strict' | 'lax' | 'none'
}

/** The value of a Set-Cookie field. What a cookie can't have in it is percent-encoded. */
export function setCookie(name: string, value: string, options: CookieOptions = {}): string {
  const { domain, path, maxAge, expires, secure, httpOnly, sameSite } = options
  if (!isTokenText(name)) throw new TypeError(`'${name}' is no name of a cookie`)
  for (const attribute of [domain, path]) {
    if (attribute !== undefined && !/^[!-:<-~]*$/.test(attribute))
      throw new TypeError(`'${attribute}' can not stand in a cookie`)
  }
  let line = `${name}=${value.replace(/[^!#-$&-+\--:<-[\]-~]/gu, encodeURIComponent)}`
  if (domain !== undefined) line += `; Domain=${domain}`
  if (path !== undefined) line += `; Path=${path}`
  if (maxAge !== undefined) line += `; Max-Age=${Math.trunc(maxAge)}`
  if (expires !== undefined) line += `; Expires=${httpDate(expires)}`
  if (secure) line += '; Secure'
  if (httpOnly) line += '; HttpOnly'
  if (sameSite !== undefined) line += `; SameSite=${sameSite[0].toUpperCase()}${sameSite.slice(1)}`
  return line
}

function decoded(value: string): string {
  if (!value.includes('%')) return value
  try {
    return decodeURIComponent(value)
  } catch {
    return value
  }
}
