// What is in a folder, as a page.
import { escapeHtml } from '../http/html.ts'

export function listingPage(path: string, names: readonly string[]): string {
  const title = escapeHtml(`What is in ${path}`)
  const up = path === '/' ? '' : '<li><a href="../">..</a></li>'
  const items = names.map((name) => {
    const address = encodeURIComponent(name).replace(/%2F$/, '/')
    return `<li><a href="./${escapeHtml(address)}">${escapeHtml(name)}</a></li>`
  })
  return `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${title}</title>
<style>:root{color-scheme:light dark;font:16px/1.6 system-ui,sans-serif}body{max-width:44rem;margin:2rem auto;padding:0 1rem}ul{list-style:none;padding:0}a{text-decoration:none}a:hover{text-decoration:underline}</style>
<h1>${title}</h1><ul>${up}${items.join('')}</ul></html>
`
}
