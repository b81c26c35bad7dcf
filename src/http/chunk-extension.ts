// The grammar of chunk extensions (RFC 9112 §7.1.1), octet by octet: `;name`, `;name=token`, `;name="text"`. What they say means nothing
// to us, but one that others might read otherwise is refused.
// Differs: no spaces may stand before the first one, since parsers have disagreed about them; llhttp refuses them as well.
import { isToken, isValue, SPACE, TAB } from './octets.ts'

/** After the semicolon. */
export const EXTENSION_START = 0
export const EXTENSION_BAD = -1

const NAME = 1
const AFTER_NAME = 2
const VALUE_START = 3
const TOKEN = 4
const QUOTED = 5
const ESCAPED = 6
const AFTER_VALUE = 7
/** Spaces, after which only another one may come. */
const SPACES = 8

const QUOTE = 34
const SEMICOLON = 59
const EQUALS = 61
const BACKSLASH = 92

/** The line may end here. */
export function mayEnd(state: number): boolean {
  return state === NAME || state === TOKEN || state === AFTER_VALUE
}

export function nextState(state: number, octet: number): number {
  switch (state) {
    case EXTENSION_START:
      return isToken(octet) ? NAME : isSpace(octet) ? EXTENSION_START : EXTENSION_BAD
    case NAME:
      return isToken(octet) ? NAME : octet === EQUALS ? VALUE_START : between(octet, AFTER_NAME)
    case AFTER_NAME:
      return octet === EQUALS ? VALUE_START : between(octet, AFTER_NAME)
    case VALUE_START:
      if (octet === QUOTE) return QUOTED
      return isToken(octet) ? TOKEN : isSpace(octet) ? VALUE_START : EXTENSION_BAD
    case TOKEN:
      return isToken(octet) ? TOKEN : between(octet, SPACES)
    case QUOTED:
      if (octet === QUOTE) return AFTER_VALUE
      return octet === BACKSLASH ? ESCAPED : isValue(octet) ? QUOTED : EXTENSION_BAD
    case ESCAPED:
      return isValue(octet) ? QUOTED : EXTENSION_BAD
    default:
      return between(octet, SPACES)
  }
}

function isSpace(octet: number): boolean {
  return octet === SPACE || octet === TAB
}

function between(octet: number, spaces: number): number {
  return octet === SEMICOLON ? EXTENSION_START : isSpace(octet) ? spaces : EXTENSION_BAD
}
