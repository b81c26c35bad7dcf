// Elements of the page, made in one call each: `element('td', { class: 'number' }, 'text', child)`. Text is never read as markup.

type Child = Node | string | number | null | undefined | false
type Attributes = Readonly<Record<string, string | number | boolean | ((event: never) => void) | null | undefined>>

const SVG = 'http://www.w3.org/2000/svg'

export function element<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  attributes: Attributes = {},
  ...children: Child[]
): HTMLElementTagNameMap[Name] {
  return finish(document.createElement(name), attributes, children)
}

export function drawing<Name extends keyof SVGElementTagNameMap>(
  name: Name,
  attributes: Attributes = {},
  ...children: Child[]
): SVGElementTagNameMap[Name] {
  return finish(document.createElementNS(SVG, name), attributes, children)
}

function finish<Made extends Element>(made: Made, attributes: Attributes, children: readonly Child[]): Made {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === 'function') made.addEventListener(name, value as EventListener)
    else if (value === true) made.setAttribute(name, '')
    else if (value !== false && value !== null && value !== undefined) made.setAttribute(name, String(value))
  }
  append(made, children)
  return made
}

function append(to: Element, children: readonly Child[]): void {
  for (const child of children) {
    if (child !== null && child !== undefined && child !== false)
      to.append(child instanceof Node ? child : String(child))
  }
}

/** Puts others in the place of all children. */
export function fill(parent: Element, ...children: Child[]): void {
  parent.replaceChildren()
  append(parent, children)
}

/** Writes only what has changed, so that nothing is laid out anew for nothing. */
export function write(target: Element, text: string): void {
  if (target.textContent !== text) target.textContent = text
}

/** The page asks for what its own markup has. */
export function find<Found extends Element = HTMLElement>(selector: string): Found {
  const found = document.querySelector<Found>(selector)
  if (found === null) throw new Error(`the page has no ${selector}`)
  return found
}

export function card(title: string, note: string, ...children: Child[]): HTMLElement {
  return element(
    'section',
    { class: 'card', 'aria-label': title },
    element('header', {}, element('h2', {}, title), note === '' ? null : element('p', { class: 'note' }, note)),
    ...children,
  )
}

/** Who asked their system for less motion. */
export function wantsCalm(): boolean {
  return matchMedia('(prefers-reduced-motion: reduce)').matches
}
