// Delta debugging (Zeller and Hildebrandt, 2002): the fewest of a list's members that still bring something about. Order is kept.
// Written by hand, since whoever tests with a simulated network shall install nothing beside it.

/** `still` says whether a part of the list does; the whole is known to. At most `budget` questions are asked. */
export async function shrink<Member>(
  whole: readonly Member[],
  still: (part: readonly Member[]) => Promise<boolean>,
  budget: number,
): Promise<{ least: readonly Member[]; asked: number }> {
  let least = whole
  let pieces = 2
  let asked = 0
  const does = (part: readonly Member[]) => {
    asked++
    return still(part)
  }
  if (whole.length > 0 && (await does([]))) return { least: [], asked }
  while (least.length > 1 && asked < budget) {
    const found = await smaller(least, pieces, does)
    if (found !== null) {
      // A piece that does it alone is cut in two again; without a piece, the others stay as fine as they are.
      pieces = found.length < least.length / 2 ? 2 : Math.max(2, pieces - 1)
      least = found
    } else if (pieces >= least.length) break
    else pieces = Math.min(least.length, pieces * 2)
  }
  return { least, asked }
}

/** A piece that does it alone, or the list without one piece; null where neither does. */
async function smaller<Member>(
  list: readonly Member[],
  pieces: number,
  does: (part: readonly Member[]) => Promise<boolean>,
): Promise<readonly Member[] | null> {
  const edges = Array.from({ length: pieces + 1 }, (_, at) => Math.round((at * list.length) / pieces))
  for (let at = 0; at < pieces; at++) {
    const piece = list.slice(edges[at], edges[at + 1])
    if (piece.length > 0 && piece.length < list.length && (await does(piece))) return piece
  }
  // Of two pieces each is the other one's rest.
  for (let at = 0; pieces > 2 && at < pieces; at++) {
    const rest = [...list.slice(0, edges[at]), ...list.slice(edges[at + 1])]
    if (rest.length < list.length && (await does(rest))) return rest
  }
  return null
}
