/** Our icon: a gate with water passing below. */
export const icon =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="7" fill="#0b57b0"/>' +
  '<path d="M8 5v13M24 5v13M8 8h16v6H8z" fill="none" stroke="#fff" stroke-width="2.5" stroke-linecap="round" stroke-linejoin="round"/>' +
  '<path d="M4 21q3-3 6 0t6 0 6 0 6 0M4 26q3-3 6 0t6 0 6 0 6 0" fill="none" stroke="#9fd0ff" stroke-width="2.5" stroke-linecap="round"/></svg>'

/** The icon as a link of a page. */
export const iconUrl = `data:image/svg+xml,${icon.replaceAll('"', "'").replace(/[#<>]/g, encodeURIComponent)}`
