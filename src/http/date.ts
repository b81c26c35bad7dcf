// Dates as HTTP writes them (RFC 9110 §5.6.7), and the line of the Date field, made anew once a second.
import { writeLatin1 } from './octets.ts'

const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'] as const
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'] as const

const two = (number: number) => String(number).padStart(2, '0')

/** `Sun, 06 Nov 1994 08:49:37 GMT`, for milliseconds since 1970. */
export function httpDate(wall: number): string {
  const date = new Date(wall)
  const day = `${DAYS[date.getUTCDay()]}, ${two(date.getUTCDate())} ${MONTHS[date.getUTCMonth()]}`
  const time = `${two(date.getUTCHours())}:${two(date.getUTCMinutes())}:${two(date.getUTCSeconds())}`
  return `${day} ${String(date.getUTCFullYear()).padStart(4, '0')} ${time} GMT`
}

const FIXED = /^\w{3}, (\d{2}) (\w{3}) (\d{4}) (\d{2}):(\d{2}):(\d{2}) GMT$/
const RFC850 = /^\w{6,9}, (\d{2})-(\w{3})-(\d{2}) (\d{2}):(\d{2}):(\d{2}) GMT$/
const ASCTIME = /^\w{3} (\w{3}) ([ \d]\d) (\d{2}):(\d{2}):(\d{2}) (\d{4})$/
const YEAR = 365.25 * 86_400_000

/** Milliseconds since 1970 of a date in one of HTTP's three forms; null where it is none. `now` tells which century a year of two digits means. */
export function parseHttpDate(text: string, now: number): number | null {
  const fixed = FIXED.exec(text)
  if (fixed !== null) return instant(fixed[3], fixed[2], fixed[1], fixed[4], fixed[5], fixed[6])
  const ascii = ASCTIME.exec(text)
  if (ascii !== null) return instant(ascii[6], ascii[1], ascii[2], ascii[3], ascii[4], ascii[5])
  const old = RFC850.exec(text)
  if (old === null) return null
  const century = Math.floor(new Date(now).getUTCFullYear() / 100) * 100
  const year = century + Number(old[3])
  const at = instant(String(year), old[2], old[1], old[4], old[5], old[6])
  // RFC 9110 §5.6.7: what seems to be more than 50 years ahead was in the past.
  return at !== null && at > now + 50 * YEAR ? instant(String(year - 100), old[2], old[1], old[4], old[5], old[6]) : at
}

function instant(year: string, month: string, day: string, hour: string, minute: string, second: string) {
  const place = MONTHS.indexOf(month as (typeof MONTHS)[number])
  if (place < 0 || Number(hour) > 23 || Number(minute) > 59 || Number(second) > 60) return null
  const at = Date.UTC(Number(year), place, Number(day), Number(hour), Number(minute), Number(second))
  return new Date(at).getUTCDate() === Number(day) || Number(second) === 60 ? at : null
}

const BEGINNING = 'Date: '

/** The octets of `Date: …` with its line end. */
export class DateLine {
  readonly bytes = new Uint8Array(BEGINNING.length + 29 + 2)
  #second = -1

  /** Within the same second the line is the same. */
  second(wall: number): number {
    return Math.floor(wall / 1000)
  }

  at(wall: number): Uint8Array {
    const second = this.second(wall)
    if (second !== this.#second) {
      this.#second = second
      writeLatin1(this.bytes, 0, `${BEGINNING}${httpDate(second * 1000)}\r\n`)
    }
    return this.bytes
  }
}
