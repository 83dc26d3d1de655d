/** The matrices that a tensor holds: rectangles of it, by their numbers (sections 9.4, 9.5). */

import type { Shape } from "./shapes.js";

/** How a tensor is cut into rectangles of equal size. */
export interface Cut {
  /** Each index of these axes has a matrix of its own. */
  readonly batch: readonly number[];
  /** This axis is cut into so many equal parts. */
  readonly blocks?: { readonly axis: number; readonly count: number };
  /** Only one index of these axes belongs to a matrix. */
  readonly fixed?: ReadonlyMap<number, number>;
}

/** What one axis contributes to an element's matrix, and to its place therein. */
interface Axis {
  readonly length: number;
  /** How many indices of the axis a matrix has. */
  readonly part: number;
  readonly fixed: number | undefined;
  placeStride: number;
  matrixStride: number;
}

/** Where an element is: the matrix's number and the element's number within, in C order. */
export interface Location {
  matrix: number;
  place: number;
}

export class Matrices {
  /** The lengths of the axes that a matrix has, in their order. */
  readonly lengths: readonly number[];
  readonly #axes: readonly Axis[];

  constructor(shape: Shape, { batch, blocks, fixed }: Cut) {
    this.#axes = shape.map((length, axis) => ({
      length,
      part: partOf(length, axis),
      fixed: fixed?.get(axis),
      placeStride: 1,
      matrixStride: 1,
    }));
    this.lengths = this.#axes
      .filter((axis, i) => axis.fixed === undefined && !batch.includes(i))
      .map((axis) => axis.part);
    this.#setStrides();

    function partOf(length: number, axis: number): number {
      if (batch.includes(axis) || fixed?.has(axis)) return 1;
      return axis === blocks?.axis ? length / blocks.count : length;
    }
  }

  /** All axes but the last. */
  get rows(): number {
    return this.lengths.slice(0, -1).reduce((product, length) => product * length, 1);
  }

  get columns(): number {
    return this.lengths[this.lengths.length - 1]!;
  }

  /** Writes an element's location into `location`; false if it belongs to no matrix. */
  locate(index: number, location: Location): boolean {
    let rest = index;
    location.matrix = 0;
    location.place = 0;
    for (let i = this.#axes.length - 1; i >= 0; i--) {
      const axis = this.#axes[i]!;
      const at = rest % axis.length;
      rest = (rest - at) / axis.length;
      if (axis.fixed === undefined) {
        const place = at % axis.part;
        location.place += place * axis.placeStride;
        location.matrix += ((at - place) / axis.part) * axis.matrixStride;
      } else if (at !== axis.fixed) {
        return false;
      }
    }
    return true;
  }

  /** The index, in the whole tensor, of a matrix's element. */
  index({ matrix, place }: Readonly<Location>): number {
    let index = 0;
    let stride = 1;
    for (let i = this.#axes.length - 1; i >= 0; i--) {
      const axis = this.#axes[i]!;
      const within = Math.floor(place / axis.placeStride) % axis.part;
      const part = Math.floor(matrix / axis.matrixStride) % (axis.length / axis.part);
      index += (axis.fixed ?? part * axis.part + within) * stride;
      stride *= axis.length;
    }
    return index;
  }

  #setStrides(): void {
    let placeStride = 1;
    let matrixStride = 1;
    for (let i = this.#axes.length - 1; i >= 0; i--) {
      const axis = this.#axes[i]!;
      axis.placeStride = placeStride;
      axis.matrixStride = matrixStride;
      placeStride *= axis.part;
      if (axis.fixed === undefined) matrixStride *= axis.length / axis.part;
    }
  }
}
