/** Orthogonal matrices in a tensor (section 9). */

import type { Elements } from "./elements.js";
import { ArgumentError, require } from "./errors.js";
import { axesOf } from "./fans.js";
import { convolutionAxes } from "./convolution.js";
import type { Parameters } from "./initializers.js";
import { Matrices, type Location } from "./matrices.js";
import { normal64 } from "./normal.js";
import { matrix, orthonormal } from "./orthonormal.js";
import { untruncated } from "./rules.js";
import { positiveAxis } from "./shapes.js";
import type { Checked } from "./tensors.js";
import type { Words } from "./words.js";

/** The matrices of an `orthogonal` tensor. */
export function orthogonalMatrices(
  { shape, fanAxes }: Checked,
  { blocks, block_axis }: Parameters["orthogonal"],
): Matrices {
  const { batch } = axesOf(shape, fanAxes);
  const isMatrix = shape.length - batch.length >= 2;
  require(isMatrix, "shape", "must have two axes or more besides those of the batch", shape);
  if (blocks === 1 && block_axis === -1) return new Matrices(shape, { batch });
  const axis = positiveAxis(block_axis, shape.length, "block_axis");
  if (batch.includes(axis)) throw new ArgumentError("block_axis", "must not be in batchAxis", axis);
  const allowed = `must divide the length ${shape[axis]} of axis ${axis}`;
  require(shape[axis]! % blocks === 0, "blocks", allowed, blocks);
  return new Matrices(shape, { batch, blocks: { axis, count: blocks } });
}

/** The one matrix of each index of the batch in a `delta_orthogonal` tensor. */
export function deltaMatrices(spec: Checked): Matrices {
  const { shape } = spec;
  const { input, output, spatial, batch } = convolutionAxes(spec);
  const allowed = "must not have more inputs than outputs";
  require(shape[input]! <= shape[output]!, "shape", allowed, shape);
  const centre = spatial.map((axis) => [axis, Math.floor((shape[axis]! - 1) / 2)] as const);
  return new Matrices(shape, { batch, fixed: new Map(centre) });
}

/** `gain` times orthonormal lines where there are matrices, else 0. */
export function orthogonal(words: Words, matrices: Matrices, gain: number): Elements {
  const normals = normal64(words, untruncated(1));
  const known = new Map<number, Float64Array>();
  const location: Location = { matrix: 0, place: 0 };
  return (index) => {
    if (!matrices.locate(index, location)) return 0;
    const number = location.matrix;
    let content = known.get(number);
    if (content === undefined) {
      content = oneMatrix(matrices, number, normals, gain);
      known.set(number, content);
    }
    return content[location.place]!;
  };
}

/** The elements of one matrix, by rows. */
function oneMatrix(
  matrices: Matrices,
  number: number,
  normals: Elements,
  gain: number,
): Float64Array {
  const { rows, columns } = matrices;
  const m = Math.max(rows, columns);
  const n = Math.min(rows, columns);
  const a = matrix(m, n);
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < n; j++) {
      const index = matrices.index({ matrix: number, place: i * n + j });
      a.data[j * m + i] = normals(index) as number;
    }
  }
  const q = orthonormal(a).data;
  const content = new Float64Array(m * n);
  for (let place = 0; place < content.length; place++) {
    const column = place % columns;
    const row = (place - column) / columns;
    content[place] = gain * (rows < columns ? q[row * m + column]! : q[column * m + row]!);
  }
  return content;
}
