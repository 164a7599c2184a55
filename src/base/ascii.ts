/** True for a text of ASCII alone; a loop, for it is asked for each name of a walk and an expression takes ten times as long. */
export function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0x7f) return false
  return true
}
