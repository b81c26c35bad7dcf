// Where the project's root lies, seen from the compiled claims in `.bench`.

export const project = new URL('../../../', import.meta.url)
