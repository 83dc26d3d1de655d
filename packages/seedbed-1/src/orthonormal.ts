/** The Q of a QR factorization, in one fixed order of operations (sections 9.1 to 9.3). */

import { fma64 } from "./fma.js";

const PANEL = 64;

/** Matrices are stored by columns: element (i, j) is `data[j * rows + i]`. */
export interface Matrix {
  readonly rows: number;
  readonly columns: number;
  readonly data: Float64Array;
}

/** A panel's reflectors: `I - V T V'`. */
interface Reflectors {
  readonly begin: number;
  readonly v: Matrix;
  readonly t: Matrix;
}

export function matrix(rows: number, columns: number): Matrix {
  return { rows, columns, data: new Float64Array(rows * columns) };
}

/** Columns that span those of `a` (not more of them than rows), orthonormal; `a` is overwritten. */
export function orthonormal(a: Matrix): Matrix {
  const { rows: m, columns: n } = a;
  const diagonal = new Float64Array(n);
  const panels: Reflectors[] = [];
  for (let begin = 0; begin < n; begin += PANEL) {
    const end = Math.min(begin + PANEL, n);
    const panel = factor(a, begin, end, diagonal);
    reflect(a, panel, transposed(panel.t), end);
    panels.push(panel);
  }
  const q = matrix(m, n);
  for (let c = 0; c < n; c++) q.data[c * m + c] = 1;
  for (const panel of panels.reverse()) reflect(q, panel, panel.t, panel.begin);
  diagonal.forEach((d, c) => {
    if (d < 0) negate(q.data.subarray(c * m, (c + 1) * m));
  });
  return q;
}

/** Householder reflectors of the columns `begin` to `end`, from the row `begin` on. */
function factor(a: Matrix, begin: number, end: number, diagonal: Float64Array): Reflectors {
  const h = a.rows - begin;
  const w = end - begin;
  const v = matrix(h, w);
  const t = matrix(w, w);
  const column = (c: number): Float64Array =>
    a.data.subarray((begin + c) * a.rows + begin, (begin + c + 1) * a.rows);
  for (let k = 0; k < w; k++) {
    const p = column(k);
    const alpha = p[k]!;
    const squares = dot(0, p, p, k + 1, h);
    const norm = Math.sqrt(fma64(alpha, alpha, squares));
    const beta = alpha < 0 ? norm : -norm;
    const tau = norm > 0 ? (beta - alpha) / beta : 0;
    const divisor = norm > 0 ? alpha - beta : 1;
    diagonal[begin + k] = beta;
    const reflector = v.data.subarray(k * h, (k + 1) * h);
    reflector[k] = 1;
    for (let i = k + 1; i < h; i++) reflector[i] = p[i]! / divisor;
    for (let c = k + 1; c < w; c++) {
      const other = column(c);
      addMultiple(other, reflector, tau * dot(0, reflector, other, k, h), k);
    }
    extendTriangle(t, v, k, tau);
  }
  return { begin, v, t };
}

/** Appends the column `k` of T. */
function extendTriangle(t: Matrix, v: Matrix, k: number, tau: number): void {
  const { rows: h, columns: w } = v;
  const reflector = v.data.subarray(k * h, (k + 1) * h);
  const g = new Float64Array(k);
  for (let c = 0; c < k; c++) {
    g[c] = dot(0, reflector, v.data.subarray(c * h, (c + 1) * h), k, h);
  }
  for (let r = 0; r < k; r++) {
    let sum = 0;
    for (let c = r; c < k; c++) sum = fma64(t.data[c * w + r]!, g[c]!, sum);
    t.data[k * w + r] = -(tau * sum);
  }
  t.data[k * w + k] = tau;
}

/** `M - V S V' M` of the columns from `from` on, and the rows that the panel has. */
function reflect(target: Matrix, { begin, v }: Reflectors, s: Matrix, from: number): void {
  const { rows: h, columns: w } = v;
  const g = new Float64Array(w);
  const e = new Float64Array(w);
  for (let c = from; c < target.columns; c++) {
    const m = target.data.subarray(c * target.rows + begin, (c + 1) * target.rows);
    for (let k = 0; k < w; k++) g[k] = dot(0, v.data.subarray(k * h, (k + 1) * h), m, 0, h);
    for (let r = 0; r < w; r++) {
      let sum = 0;
      for (let k = 0; k < w; k++) sum = fma64(s.data[k * w + r]!, g[k]!, sum);
      e[r] = sum;
    }
    for (let k = 0; k < w; k++) addMultiple(m, v.data.subarray(k * h, (k + 1) * h), e[k]!, 0);
  }
}

/** The chain of products of `x` and `y` from `from` to `to`. */
function dot(start: number, x: Float64Array, y: Float64Array, from: number, to: number): number {
  let sum = start;
  for (let i = from; i < to; i++) sum = fma64(x[i]!, y[i]!, sum);
  return sum;
}

/** `target - v * factor`, from `from` on. */
function addMultiple(target: Float64Array, v: Float64Array, factor: number, from: number): void {
  for (let i = from; i < target.length; i++) target[i] = fma64(-v[i]!, factor, target[i]!);
}

function transposed(t: Matrix): Matrix {
  const result = matrix(t.columns, t.rows);
  for (let r = 0; r < t.rows; r++) {
    for (let c = 0; c < t.columns; c++) {
      result.data[r * t.columns + c] = t.data[c * t.rows + r]!;
    }
  }
  return result;
}

function negate(column: Float64Array): void {
  for (let i = 0; i < column.length; i++) column[i] = -column[i]!;
}
