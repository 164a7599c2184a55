/** Where the programs and packages are that come from npm. */
export declare const npmPeers: string
/** The full path of a program, or undefined. */
export declare function find(program: string): string | undefined
/**
 * For `test(name, { skip: missing('rclone') }, ...)`: false when all programs are there, else why the test is skipped. In CI
 * a missing peer is a failure.
 */
export declare function missing(...programs: string[]): string | false
/** As `missing`, for a package that comes from npm. */
export declare function missingPackage(name: string): string | false
