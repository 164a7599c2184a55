/** The release of rclone whose remote control this one is like: what `core/version` says, because clients go by it. */
export const wireVersion = [1, 76, 0] as const
