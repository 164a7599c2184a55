/** True for a request that changes nothing. */
export function isReading({ method }: { readonly method: string }): boolean {
  return method === 'GET' || method === 'HEAD' || method === 'OPTIONS'
}

/** True for a request whose body is to be stored. */
export function isStoring({ method }: { readonly method: string }): boolean {
  return method === 'PUT' || method === 'POST' || method === 'PATCH'
}
