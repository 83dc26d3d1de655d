/** Element functions. */

/**
 * A tensor's element by its index in C order in the whole tensor.
 *
 * A float may have more digits than the dtype, which rounds it when it is stored. Integers are
 * bigints only where a number would not hold them.
 */
export type Elements = (index: number) => number | bigint;
