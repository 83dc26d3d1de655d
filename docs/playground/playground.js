// Built by packages/seedbed-1/build-playground.sh; its sources are in src and the package.
"use strict";
(() => {
  // src/errors.ts
  var ArgumentError = class extends RangeError {
    constructor(argument, allowed, received) {
      super(`${argument} ${allowed}. Received: ${shown(received)}`);
      this.argument = argument;
    }
    argument;
    name = "ArgumentError";
  };
  function require2(holds, argument, allowed, received) {
    if (!holds) throw new ArgumentError(argument, allowed, received);
  }
  function shown(value) {
    if (typeof value === "bigint") return `${value}`;
    if (typeof value === "number") return Object.is(value, -0) ? "-0" : `${value}`;
    if (Array.isArray(value)) return `[${value.map(shown).join(", ")}]`;
    return JSON.stringify(value) ?? String(value);
  }

  // src/shapes.ts
  var MAX_RANK = 32;
  function elementCount(shape) {
    return shape.reduce((count2, length) => count2 * length, 1);
  }
  function checkShape(shape) {
    const areLengths = Array.isArray(shape) && shape.every(isLength);
    require2(areLengths, "shape", "must have integers of 0 or more", shape);
    require2(shape.length <= MAX_RANK, "shape", `must have at most ${MAX_RANK} axes`, shape);
    const product3 = shape.reduce((count2, length) => count2 * BigInt(length || 1), 1n);
    const isSmall = product3 <= BigInt(Number.MAX_SAFE_INTEGER);
    require2(isSmall, "shape", "must have lengths whose product is below 2**53", shape);
  }
  function wholeSlice(shape) {
    return { starts: shape.map(() => 0), lengths: shape };
  }
  function checkSlice({ starts, lengths }, shape) {
    const rank = shape.length;
    for (const [argument, values] of Object.entries({ starts, lengths })) {
      const isRight = Array.isArray(values) && values.length === rank && values.every(isLength);
      require2(isRight, `slice.${argument}`, `must have ${rank} integers of 0 or more`, values);
    }
    const isInside = shape.every((length, axis2) => starts[axis2] + lengths[axis2] <= length);
    require2(isInside, "slice", `must lie within the shape [${shape.join(", ")}]`, {
      starts,
      lengths
    });
  }
  function positiveAxis(axis2, rank, argument) {
    const isAxis = Number.isInteger(axis2) && axis2 >= -rank && axis2 < rank;
    require2(isAxis, argument, `must be from ${-rank} to ${rank - 1}`, axis2);
    return axis2 < 0 ? axis2 + rank : axis2;
  }
  function* rowStarts(slice, shape) {
    const rank = shape.length;
    const strides = stridesOf(shape);
    const first = slice.starts.reduce((sum, start2, axis2) => sum + start2 * strides[axis2], 0);
    const outer = slice.lengths.slice(0, -1);
    const rows = slice.lengths.includes(0) ? 0 : elementCount(outer);
    const place = outer.map(() => 0);
    let index = first;
    for (let row = 0; row < rows; row++) {
      yield index;
      for (let axis2 = rank - 2; axis2 >= 0; axis2--) {
        index += strides[axis2];
        place[axis2] += 1;
        if (place[axis2] < outer[axis2]) break;
        index -= strides[axis2] * outer[axis2];
        place[axis2] = 0;
      }
    }
  }
  function stridesOf(shape) {
    const strides = shape.map(() => 1);
    for (let axis2 = shape.length - 2; axis2 >= 0; axis2--) {
      strides[axis2] = strides[axis2 + 1] * shape[axis2 + 1];
    }
    return strides;
  }
  function isLength(n) {
    return Number.isSafeInteger(n) && n >= 0;
  }

  // src/fans.ts
  function axesOf(shape, named2) {
    const rank = shape.length;
    if (named2 === void 0) {
      return rank < 2 ? { inputs: [], outputs: [], batch: [] } : { inputs: [rank - 2], outputs: [rank - 1], batch: [] };
    }
    const positive = (axes2, role) => (axes2 ?? []).map((axis2) => positiveAxis(axis2, rank, `fanAxes.${role}`));
    const axes = {
      inputs: positive(named2.inAxis, "inAxis"),
      outputs: positive(named2.outAxis, "outAxis"),
      batch: positive(named2.batchAxis, "batchAxis")
    };
    const all = [...axes.inputs, ...axes.outputs, ...axes.batch];
    require2(new Set(all).size === all.length, "fanAxes", "must name each axis once", named2);
    return axes;
  }
  function fans(shape, fanAxes) {
    checkShape(shape);
    if (fanAxes === void 0 && shape.length < 2) {
      const both = Number(product(shape));
      return { fanIn: both, fanOut: both };
    }
    const { inputs, outputs, batch } = axesOf(shape, fanAxes);
    const named2 = /* @__PURE__ */ new Set([...inputs, ...outputs, ...batch]);
    const receptive = product(shape.filter((_, axis2) => !named2.has(axis2)));
    const ofAxes = (axes) => product(axes.map((axis2) => shape[axis2]));
    return {
      fanIn: Number(ofAxes(inputs) * receptive),
      fanOut: Number(ofAxes(outputs) * receptive)
    };
  }
  function product(lengths) {
    return lengths.reduce((total, length) => total * BigInt(length), 1n);
  }

  // src/convolution.ts
  function convolutionAxes({ shape, fanAxes }) {
    const { inputs, outputs, batch } = axesOf(shape, fanAxes);
    const rank = shape.length - batch.length;
    const isKernel = rank >= 3 && rank <= 5;
    require2(isKernel, "shape", "must have three to five axes besides those of the batch", shape);
    require2(inputs.length === 1, "fanAxes.inAxis", "must have one axis", inputs);
    require2(outputs.length === 1, "fanAxes.outAxis", "must have one axis", outputs);
    const others = /* @__PURE__ */ new Set([...inputs, ...outputs, ...batch]);
    const spatial = shape.map((_, axis2) => axis2).filter((axis2) => !others.has(axis2));
    return { input: inputs[0], output: outputs[0], spatial, batch };
  }
  function dirac(spec, groups) {
    const { shape } = spec;
    const { input, output, spatial } = convolutionAxes(spec);
    const outputs = shape[output];
    const allowed = `must divide the ${outputs} outputs`;
    require2(outputs % groups === 0, "groups", allowed, groups);
    const strides = stridesOf(shape);
    const at = (index, axis2) => Math.floor(index / strides[axis2]) % shape[axis2];
    return (index) => {
      const isCentre = spatial.every((axis2) => at(index, axis2) === Math.floor(shape[axis2] / 2));
      const isSame = at(index, output) % (outputs / groups) === at(index, input);
      return isCentre && isSame ? 1 : 0;
    };
  }

  // src/matrices.ts
  var Matrices = class {
    /** The lengths of the axes that a matrix has, in their order. */
    lengths;
    #axes;
    constructor(shape, { batch, blocks, fixed }) {
      this.#axes = shape.map((length, axis2) => ({
        length,
        part: partOf(length, axis2),
        fixed: fixed?.get(axis2),
        placeStride: 1,
        matrixStride: 1
      }));
      this.lengths = this.#axes.filter((axis2, i) => axis2.fixed === void 0 && !batch.includes(i)).map((axis2) => axis2.part);
      this.#setStrides();
      function partOf(length, axis2) {
        if (batch.includes(axis2) || fixed?.has(axis2)) return 1;
        return axis2 === blocks?.axis ? length / blocks.count : length;
      }
    }
    /** All axes but the last. */
    get rows() {
      return this.lengths.slice(0, -1).reduce((product3, length) => product3 * length, 1);
    }
    get columns() {
      return this.lengths[this.lengths.length - 1];
    }
    /** Writes an element's location into `location`; false if it belongs to no matrix. */
    locate(index, location2) {
      let rest = index;
      location2.matrix = 0;
      location2.place = 0;
      for (let i = this.#axes.length - 1; i >= 0; i--) {
        const axis2 = this.#axes[i];
        const at = rest % axis2.length;
        rest = (rest - at) / axis2.length;
        if (axis2.fixed === void 0) {
          const place = at % axis2.part;
          location2.place += place * axis2.placeStride;
          location2.matrix += (at - place) / axis2.part * axis2.matrixStride;
        } else if (at !== axis2.fixed) {
          return false;
        }
      }
      return true;
    }
    /** The index, in the whole tensor, of a matrix's element. */
    index({ matrix: matrix2, place }) {
      let index = 0;
      let stride = 1;
      for (let i = this.#axes.length - 1; i >= 0; i--) {
        const axis2 = this.#axes[i];
        const within = Math.floor(place / axis2.placeStride) % axis2.part;
        const part = Math.floor(matrix2 / axis2.matrixStride) % (axis2.length / axis2.part);
        index += (axis2.fixed ?? part * axis2.part + within) * stride;
        stride *= axis2.length;
      }
      return index;
    }
    #setStrides() {
      let placeStride = 1;
      let matrixStride = 1;
      for (let i = this.#axes.length - 1; i >= 0; i--) {
        const axis2 = this.#axes[i];
        axis2.placeStride = placeStride;
        axis2.matrixStride = matrixStride;
        placeStride *= axis2.part;
        if (axis2.fixed === void 0) matrixStride *= axis2.length / axis2.part;
      }
    }
  };

  // src/bits.ts
  var view = new DataView(new ArrayBuffer(8));
  function float32Bits(x) {
    view.setFloat32(0, x);
    return view.getUint32(0);
  }
  function float32From(bits) {
    view.setUint32(0, bits);
    return view.getFloat32(0);
  }
  function float64High(x) {
    view.setFloat64(0, x);
    return view.getUint32(0);
  }
  function float64Low(x) {
    view.setFloat64(0, x);
    return view.getUint32(4);
  }
  function float64From(high, low) {
    view.setUint32(0, high);
    view.setUint32(4, low);
    return view.getFloat64(0);
  }
  function float64Bits(x) {
    view.setFloat64(0, x);
    return view.getBigUint64(0);
  }
  function nextBelow32(x) {
    if (x === 0) return -(2 ** -149);
    return float32From(float32Bits(x) + (x > 0 ? -1 : 1));
  }
  function nextBelow64(x) {
    if (x === 0) return -Number.MIN_VALUE;
    view.setBigUint64(0, float64Bits(x) + (x > 0 ? -1n : 1n));
    return view.getFloat64(0);
  }

  // src/dyadic.ts
  function dyadic(x) {
    const bits = float64Bits(x);
    const biased = Number(bits >> 52n & 0x7ffn);
    const fraction = bits & 0xfffffffffffffn;
    const magnitude = biased === 0 ? fraction : fraction | 1n << 52n;
    return { mantissa: x < 0 ? -magnitude : magnitude, exponent: Math.max(biased, 1) - 1075 };
  }
  function nearestFloat64({ mantissa, exponent }) {
    const magnitude = mantissa < 0n ? -mantissa : mantissa;
    const last = Math.max(bitLength(magnitude) + exponent - 53, -1074);
    const rounded = Number(shiftedToNearest(magnitude, last - exponent)) * 2 ** last;
    return mantissa < 0n ? -rounded : rounded;
  }
  function shiftedToNearest(n, places) {
    if (places <= 0) return n << BigInt(-places);
    const shift = BigInt(places);
    const quotient = n >> shift;
    const rest = n - (quotient << shift);
    const half = 1n << shift - 1n;
    const up = rest > half || rest === half && (quotient & 1n) === 1n;
    return up ? quotient + 1n : quotient;
  }
  function bitLength(n) {
    return n === 0n ? 0 : n.toString(2).length;
  }

  // src/fma.ts
  var SPLITTER = 2 ** 27 + 1;
  var SMALL = 2 ** -900;
  var LARGE = 2 ** 990;
  function fma32(a, b, c) {
    const product3 = a * b;
    const sum = product3 + c;
    const rounded = Math.fround(sum);
    const rest = sum - rounded;
    if (rest === 0) return rounded;
    const other = rounded + 2 * rest;
    if (Math.fround(other) !== other) return rounded;
    const error = sumError(product3, c, sum);
    return error !== 0 && error > 0 === rest > 0 ? other : rounded;
  }
  function fma64(a, b, c) {
    const product3 = a * b;
    const size = Math.abs(product3);
    const inRange = size > SMALL && size < LARGE && Math.abs(a) < LARGE && Math.abs(b) < LARGE && Math.abs(c) < LARGE;
    if (!inRange) return fma64OutOfRange(a, b, c);
    const productTail = productError(a, b, product3);
    const upper = c + productTail;
    const upperTail = sumError(c, productTail, upper);
    const head = product3 + upper;
    const headTail = sumError(product3, upper, head);
    const tail = headTail + upperTail;
    const lost = sumError(headTail, upperTail, tail);
    const result = head + tail;
    if (lost === 0) return result;
    const rest = sumError(head, tail, result);
    const other = result + 2 * rest;
    const isTie = rest !== 0 && other - result === 2 * rest;
    return isTie && lost > 0 === rest > 0 ? other : result;
  }
  function horner32(table, x) {
    let r = table[table.length - 1];
    for (let k = table.length - 2; k >= 0; k--) r = fma32(r, x, table[k]);
    return r;
  }
  function horner64(table, x) {
    let r = table[table.length - 1];
    for (let k = table.length - 2; k >= 0; k--) r = fma64(r, x, table[k]);
    return r;
  }
  function sumError(a, b, sum) {
    const bPart = sum - a;
    const aPart = sum - bPart;
    return a - aPart + (b - bPart);
  }
  function productError(a, b, product3) {
    const aScaled = SPLITTER * a;
    const aHigh = aScaled - (aScaled - a);
    const aLow = a - aHigh;
    const bScaled = SPLITTER * b;
    const bHigh = bScaled - (bScaled - b);
    const bLow = b - bHigh;
    return aLow * bLow - (product3 - aHigh * bHigh - aLow * bHigh - aHigh * bLow);
  }
  function fma64OutOfRange(a, b, c) {
    if (!Number.isFinite(a) || !Number.isFinite(b) || a === 0 || b === 0) return a * b + c;
    if (!Number.isFinite(c)) return c;
    const x = dyadic(a);
    const y = dyadic(b);
    const z = dyadic(c);
    const exponent = Math.min(x.exponent + y.exponent, z.exponent);
    const product3 = x.mantissa * y.mantissa << BigInt(x.exponent + y.exponent - exponent);
    const addend = z.mantissa << BigInt(z.exponent - exponent);
    return nearestFloat64({ mantissa: product3 + addend, exponent });
  }

  // src/tables.ts
  var LOG2 = [
    -0.6818987727165222,
    0.3409517705440521,
    -0.22731509804725647,
    0.1702807992696762,
    -0.1355908066034317,
    0.117371566593647,
    -0.11140668392181396,
    0.070768341422081
  ];
  var QUANTILE = [
    -0.04562443122267723,
    0.10385968536138535,
    -0.03379884362220764,
    0.011287631466984749,
    -0.0038374457508325577,
    0.0013381032040342689,
    -4851421108469367e-19,
    1537146745249629e-19,
    -33376792998751625e-21,
    27283263989374973e-21,
    -255200793617405e-19,
    26085458557645325e-22,
    52219115787011106e-22,
    -42128056065848796e-23,
    -11173026450705947e-22,
    28293442255744594e-23
  ];
  var CENTRAL_NUMERATOR = [
    0.8871328727963669,
    36.68974278237029,
    544.5052013945349,
    3051.9818345962553,
    -2790.30789672602,
    -102018.8471209403,
    -411245.96754873573,
    -642754.1428953512,
    -370951.5491469666,
    -52312.66481887731
  ];
  var CENTRAL_DENOMINATOR = [
    1,
    52.831937249429,
    1135.7701222515911,
    12818.244715578627,
    81857.5377525994,
    297827.2025479828,
    592776.8233874465,
    586386.2572520972,
    237397.53921448093,
    24659.993400567433
  ];
  var TAIL_NUMERATOR = [
    -0.9986270709429653,
    -2.5147941727416896,
    -2.720927416739912,
    -1.6784241492793668,
    -0.6601990530498436,
    -0.1749639978733057,
    -0.032029403686707515,
    -0.004044490715386921,
    -3379416599161197e-19,
    -16889196398922723e-21,
    -4223704576392015e-22,
    -37017063059268786e-25
  ];
  var TAIL_DENOMINATOR = [
    1,
    2.752724414669264,
    3.228350717981537,
    2.115546449596987,
    0.8524121147893451,
    0.2182260772001558,
    0.035265732340905284,
    0.0034467370994287635,
    18718297575327113e-20,
    48567391289407276e-22,
    43156905990454134e-24,
    -18474366013409943e-30
  ];

  // src/gaussian.ts
  function cumulative(r, x) {
    if (x === Infinity) return r.integer(1);
    if (x === -Infinity) return r.integer(0);
    return r.add(r.ratio(1, 2), fromMedian(r, x));
  }
  function density(r, x) {
    if (!Number.isFinite(x)) return r.integer(0);
    const square = r.multiply(r.float(x), r.float(x));
    const root = r.squareRoot(r.times(r.pi, 2n));
    return r.divide(r.exponentialOfNegative(r.quotient(square, 2n)), root);
  }
  function weightedDensity(r, x) {
    return Number.isFinite(x) ? r.multiply(r.float(x), density(r, x)) : r.integer(0);
  }
  function fromMedian(r, x) {
    const size = Math.abs(x);
    const exact2 = r.float(size);
    const square = r.multiply(exact2, exact2);
    let term = exact2;
    let sum = exact2;
    for (let n = 3; term.high > 1n || n < 2 * size * size; n += 2) {
      term = r.quotient(r.multiply(term, square), BigInt(n));
      sum = r.add(sum, term);
    }
    const total = { low: sum.low, high: sum.high + term.high };
    const distance = r.multiply(density(r, size), total);
    return x < 0 ? r.negative(distance) : distance;
  }

  // src/reals.ts
  var FIRST_BITS = 128;
  function exactly(compute) {
    for (let bits = FIRST_BITS; ; bits *= 2) {
      const { low, high } = compute(new Reals(bits));
      const rounded = nearestFloat64({ mantissa: low, exponent: -bits });
      if (rounded === nearestFloat64({ mantissa: high, exponent: -bits })) return rounded;
    }
  }
  function exactFloor(compute, least, most) {
    const inRange = (n) => n < least ? least : n > most ? most : n;
    for (let bits = FIRST_BITS; ; bits *= 2) {
      const { low, high } = compute(new Reals(bits));
      const floor = inRange(low >> BigInt(bits));
      if (floor === inRange(high >> BigInt(bits))) return floor;
    }
  }
  var Reals = class {
    constructor(bits) {
      this.bits = bits;
      this.#shift = BigInt(bits);
      this.one = 1n << this.#shift;
    }
    bits;
    one;
    #shift;
    #pi;
    integer(n) {
      const scaled = BigInt(n) << this.#shift;
      return { low: scaled, high: scaled };
    }
    /** `n / d`, where `d` is positive. */
    ratio(n, d) {
      return this.quotient(this.integer(n), BigInt(d));
    }
    /** A finite float64, exactly. */
    float(x) {
      const { mantissa, exponent } = dyadic(x);
      if (exponent >= 0) return this.integer(mantissa << BigInt(exponent));
      return this.quotient(this.integer(mantissa), 1n << BigInt(-exponent));
    }
    negative(a) {
      return { low: -a.high, high: -a.low };
    }
    add(a, b) {
      return { low: a.low + b.low, high: a.high + b.high };
    }
    subtract(a, b) {
      return { low: a.low - b.high, high: a.high - b.low };
    }
    absolute(a) {
      if (a.low >= 0n) return a;
      const mirrored = this.negative(a);
      return { low: a.high <= 0n ? mirrored.low : 0n, high: larger(a.high, mirrored.high) };
    }
    multiply(a, b) {
      const products = [a.low * b.low, a.low * b.high, a.high * b.low, a.high * b.high];
      return {
        low: products.reduce(smaller) >> this.#shift,
        high: -(-products.reduce(larger) >> this.#shift)
      };
    }
    /** `a * n`. */
    times(a, n) {
      return n < 0n ? { low: a.high * n, high: a.low * n } : { low: a.low * n, high: a.high * n };
    }
    /** `a / n`, where `n` is positive. */
    quotient(a, n) {
      return { low: floorDivide(a.low, n), high: -floorDivide(-a.high, n) };
    }
    divide(a, b) {
      if (b.high < 0n) return this.divide(this.negative(a), this.negative(b));
      if (b.low <= 0n) return { low: -(this.one << this.#shift), high: this.one << this.#shift };
      const low = floorDivide(a.low << this.#shift, a.low < 0n ? b.low : b.high);
      const high = -floorDivide(-a.high << this.#shift, a.high < 0n ? b.high : b.low);
      return { low, high };
    }
    /** Of a number that is not negative, though its enclosure may begin below 0. */
    squareRoot(a) {
      const high = (a.high > 0n ? a.high : 0n) << this.#shift;
      const root = integerRoot(high);
      return {
        low: integerRoot((a.low > 0n ? a.low : 0n) << this.#shift),
        high: root * root === high ? root : root + 1n
      };
    }
    /** Machin: 16 atan(1/5) - 4 atan(1/239). */
    get pi() {
      this.#pi ??= this.subtract(
        this.times(this.#arctangentOfInverse(5n), 16n),
        this.times(this.#arctangentOfInverse(239n), 4n)
      );
      return this.#pi;
    }
    /** `exp(-x)` for `x` of 0 or more: the series of `x / 2**s`, squared `s` times. */
    exponentialOfNegative(x) {
      const halvings = Math.max(0, (x.high >> this.#shift).toString(2).length + 8);
      const small = this.quotient(x, 1n << BigInt(halvings));
      let result = this.#alternating(
        this.integer(1),
        (term, n) => this.quotient(this.multiply(term, small), BigInt(n))
      );
      for (let i = 0; i < halvings; i++) result = this.multiply(result, result);
      return result;
    }
    /** The cosine of `n / d` turns, exact where it is 0, 1 or -1; `d` is positive. */
    cosineOfTurns(n, d) {
      const turns = mod(n, d);
      const folded2 = 2 * turns > d ? d - turns : turns;
      if (folded2 === 0) return this.integer(1);
      if (4 * folded2 === d) return this.integer(0);
      if (4 * folded2 > d) return this.negative(this.cosineOfTurns(d - 2 * folded2, 2 * d));
      const angle = this.quotient(this.times(this.pi, BigInt(2 * folded2)), BigInt(d));
      const square = this.multiply(angle, angle);
      return this.#alternating(
        this.integer(1),
        (term, k) => this.quotient(this.multiply(term, square), BigInt((2 * k - 1) * 2 * k))
      );
    }
    /** The sine of `n / d` turns. */
    sineOfTurns(n, d) {
      return this.cosineOfTurns(4 * mod(n, d) - d, 4 * d);
    }
    /** `first - term1 + term2 - ...`, where terms of a unit are halved or more by each step. */
    #alternating(first, next) {
      let sum = first;
      let term = first;
      for (let n = 1; term.high > 1n; n++) {
        term = next(term, n);
        sum = n % 2 === 1 ? this.subtract(sum, term) : this.add(sum, term);
      }
      return { low: sum.low - 2n, high: sum.high + 2n };
    }
    #arctangentOfInverse(n) {
      let power = this.ratio(1, n);
      let sum = power;
      for (let k = 1n; power.high > 1n; k++) {
        power = this.quotient(power, n * n);
        const term = this.quotient(power, 2n * k + 1n);
        sum = k % 2n === 1n ? this.subtract(sum, term) : this.add(sum, term);
      }
      return { low: sum.low - 2n, high: sum.high + 2n };
    }
  };
  function mod(n, d) {
    return (n % d + d) % d;
  }
  function smaller(a, b) {
    return a < b ? a : b;
  }
  function larger(a, b) {
    return a > b ? a : b;
  }
  function floorDivide(n, d) {
    const quotient = n / d;
    return n < 0n && quotient * d !== n ? quotient - 1n : quotient;
  }
  function integerRoot(n) {
    if (n < 2n) return n;
    let root = 1n << BigInt(n.toString(2).length + 1 >> 1);
    for (; ; ) {
      const next = root + n / root >> 1n;
      if (next >= root) return root;
      root = next;
    }
  }

  // src/truncation.ts
  var FARTHEST = 14;
  function effective({ lower, upper }) {
    return {
      lower: lower < -FARTHEST ? -Infinity : lower,
      upper: upper > FARTHEST ? Infinity : upper
    };
  }
  function intervalOf(bounds, wordBits) {
    const { lower, upper } = effective(bounds);
    const words = 1n << BigInt(wordBits);
    const below = (r) => r.subtract(r.ratio(1, 2), cumulative(r, lower));
    const above = (r) => r.subtract(cumulative(r, upper), r.ratio(1, 2));
    const step = (r) => r.quotient(r.add(below(r), above(r)), words);
    const isSymmetric = lower === -upper;
    const split = isSymmetric ? words / 2n : exactFloor((r) => r.divide(below(r), step(r)), 0n, words - 1n);
    return {
      split,
      step: exactly(step),
      lowEdge: exactly((r) => cumulative(r, lower)),
      highEdge: exactly((r) => r.subtract(r.integer(1), cumulative(r, upper))),
      remainder: isSymmetric ? 0 : exactly((r) => r.subtract(r.times(step(r), split), below(r)))
    };
  }
  function momentsOf(bounds) {
    const { lower, upper } = effective(bounds);
    const mass = (r) => r.subtract(cumulative(r, upper), cumulative(r, lower));
    const shift = (r) => r.divide(r.subtract(density(r, lower), density(r, upper)), mass(r));
    const variance = (r) => {
      const ends = r.subtract(weightedDensity(r, lower), weightedDensity(r, upper));
      const mean = shift(r);
      return r.subtract(r.add(r.integer(1), r.divide(ends, mass(r))), r.multiply(mean, mean));
    };
    return {
      mean: lower === -upper ? 0 : exactly(shift),
      stddev: exactly((r) => r.squareRoot(variance(r)))
    };
  }

  // src/normal.ts
  var WORD = 2 ** 32;
  var LEAST_TAIL_32 = 2 ** -40;
  var ROOT_HALF_32 = 1060439283;
  var ROOT_HALF_64_HIGH = 1072079006;
  var ROOT_HALF_64_LOW = 1719614413;
  var LN2 = 0.6931471805599453;
  var ATANH = [21, 19, 17, 15, 13, 11, 9, 7, 5, 3, 1].map((d) => 2 / d);
  function normal32(words, rule) {
    const interval = intervalOf(rule, 32);
    const split = Number(interval.split);
    const step = Math.fround(interval.step);
    const lowEdge = Math.fround(interval.lowEdge);
    const highEdge = Math.fround(interval.highEdge);
    const lower = Math.fround(rule.lower);
    const upper = Math.fround(rule.upper);
    const stddev = Math.fround(rule.stddev);
    const mean = Math.fround(rule.mean);
    return (index) => {
      const word2 = words.word32(index);
      const isBelow = word2 < split;
      const distance = Math.fround(isBelow ? word2 : ~word2 >>> 0);
      let tail = fma32(Math.fround(distance + 0.5), step, isBelow ? lowEdge : highEdge);
      tail = tail < 0.5 ? tail : 0.5;
      tail = tail > LEAST_TAIL_32 ? tail : LEAST_TAIL_32;
      const z = quantile32(tail);
      return fma32(clamped(isBelow ? z : -z, lower, upper), stddev, mean);
    };
  }
  function normal64(words, rule) {
    const { split, step, lowEdge, highEdge, remainder } = intervalOf(rule, 64);
    const splitHigh = Number(split >> 32n);
    const splitLow = Number(split & 0xffffffffn);
    const { lower, upper, stddev, mean } = rule;
    return (index) => {
      const at = words.seek64(index);
      const low = words.lanes[at];
      const high = words.lanes[at + 1];
      const isBelow = high < splitHigh || high === splitHigh && low < splitLow;
      const distance = isBelow ? float64Of(high, low) : float64Of(~high >>> 0, ~low >>> 0);
      let tail = fma64(distance + 0.5, step, isBelow ? lowEdge : highEdge);
      tail = tail < 0.5 ? tail : 0.5;
      const steps = isBelow ? difference(splitHigh, splitLow, high, low, 1) : difference(high, low, splitHigh, splitLow, 0);
      const fromMedian2 = fma64(steps + 0.5, step, isBelow ? -remainder : remainder);
      const z = fromMedian2 <= 0.425 ? central64(fromMedian2) : tail64(tail);
      return fma64(clamped(isBelow ? -z : z, lower, upper), stddev, mean);
    };
  }
  function quantile32(tail) {
    const n = float32Bits(tail) - ROOT_HALF_32 | 0;
    const exponent = n >> 23;
    const mantissa = float32From((n & 8388607) + ROOT_HALF_32);
    const f = Math.fround(mantissa - 1);
    const square = fma32(horner32(LOG2, f), f, exponent * -0.47265625);
    const s = Math.fround(Math.sqrt(square));
    const t = Math.fround(s - 0.6875);
    const r = horner32(QUANTILE, Math.fround(s - 2.5));
    return fma32(fma32(fma32(-s, s, square), -0.125, r), t, -2 * t);
  }
  function central64(q) {
    const x = fma64(-q, q, 0.180625);
    return fma64(q, 2.5, horner64(CENTRAL_NUMERATOR, x) / horner64(CENTRAL_DENOMINATOR, x) * q);
  }
  function tail64(p) {
    const s = Math.sqrt(minusLog(p));
    const u = s - 1.5;
    return fma64(s, 1.5, horner64(TAIL_NUMERATOR, u) / horner64(TAIL_DENOMINATOR, u));
  }
  function minusLog(p) {
    const bitsLow = float64Low(p);
    const borrow = bitsLow < ROOT_HALF_64_LOW ? 1 : 0;
    const low = bitsLow - ROOT_HALF_64_LOW >>> 0;
    const high = float64High(p) - ROOT_HALF_64_HIGH - borrow | 0;
    const exponent = high >> 20;
    const sum = low + ROOT_HALF_64_LOW;
    const carry = sum >= WORD ? 1 : 0;
    const mantissa = float64From((high & 1048575) + ROOT_HALF_64_HIGH + carry, sum >>> 0);
    const y = (mantissa - 1) / (mantissa + 1);
    const w = y * y;
    let v = ATANH[0];
    for (let k = 1; k < ATANH.length; k++) v = fma64(v, w, ATANH[k]);
    return fma64(exponent, -LN2, -(v * y));
  }
  function clamped(z, lower, upper) {
    const raised = z > lower ? z : lower;
    return raised < upper ? raised : upper;
  }
  function float64Of(high, low) {
    return high * WORD + low;
  }
  function difference(aHigh, aLow, bHigh, bLow, less) {
    const low = aLow - bLow - less;
    return low < 0 ? float64Of(aHigh - bHigh - 1, low + WORD) : float64Of(aHigh - bHigh, low);
  }

  // src/orthonormal.ts
  var PANEL = 64;
  function matrix(rows, columns) {
    return { rows, columns, data: new Float64Array(rows * columns) };
  }
  function orthonormal(a) {
    const { rows: m, columns: n } = a;
    const diagonal = new Float64Array(n);
    const panels = [];
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
  function factor(a, begin, end, diagonal) {
    const h = a.rows - begin;
    const w = end - begin;
    const v = matrix(h, w);
    const t = matrix(w, w);
    const column = (c) => a.data.subarray((begin + c) * a.rows + begin, (begin + c + 1) * a.rows);
    for (let k = 0; k < w; k++) {
      const p = column(k);
      const alpha = p[k];
      const squares = dot(0, p, p, k + 1, h);
      const norm = Math.sqrt(fma64(alpha, alpha, squares));
      const beta = alpha < 0 ? norm : -norm;
      const tau = norm > 0 ? (beta - alpha) / beta : 0;
      const divisor = norm > 0 ? alpha - beta : 1;
      diagonal[begin + k] = beta;
      const reflector = v.data.subarray(k * h, (k + 1) * h);
      reflector[k] = 1;
      for (let i = k + 1; i < h; i++) reflector[i] = p[i] / divisor;
      for (let c = k + 1; c < w; c++) {
        const other = column(c);
        addMultiple(other, reflector, tau * dot(0, reflector, other, k, h), k);
      }
      extendTriangle(t, v, k, tau);
    }
    return { begin, v, t };
  }
  function extendTriangle(t, v, k, tau) {
    const { rows: h, columns: w } = v;
    const reflector = v.data.subarray(k * h, (k + 1) * h);
    const g = new Float64Array(k);
    for (let c = 0; c < k; c++) {
      g[c] = dot(0, reflector, v.data.subarray(c * h, (c + 1) * h), k, h);
    }
    for (let r = 0; r < k; r++) {
      let sum = 0;
      for (let c = r; c < k; c++) sum = fma64(t.data[c * w + r], g[c], sum);
      t.data[k * w + r] = -(tau * sum);
    }
    t.data[k * w + k] = tau;
  }
  function reflect(target, { begin, v }, s, from) {
    const { rows: h, columns: w } = v;
    const g = new Float64Array(w);
    const e = new Float64Array(w);
    for (let c = from; c < target.columns; c++) {
      const m = target.data.subarray(c * target.rows + begin, (c + 1) * target.rows);
      for (let k = 0; k < w; k++) g[k] = dot(0, v.data.subarray(k * h, (k + 1) * h), m, 0, h);
      for (let r = 0; r < w; r++) {
        let sum = 0;
        for (let k = 0; k < w; k++) sum = fma64(s.data[k * w + r], g[k], sum);
        e[r] = sum;
      }
      for (let k = 0; k < w; k++) addMultiple(m, v.data.subarray(k * h, (k + 1) * h), e[k], 0);
    }
  }
  function dot(start2, x, y, from, to) {
    let sum = start2;
    for (let i = from; i < to; i++) sum = fma64(x[i], y[i], sum);
    return sum;
  }
  function addMultiple(target, v, factor2, from) {
    for (let i = from; i < target.length; i++) target[i] = fma64(-v[i], factor2, target[i]);
  }
  function transposed(t) {
    const result = matrix(t.columns, t.rows);
    for (let r = 0; r < t.rows; r++) {
      for (let c = 0; c < t.columns; c++) {
        result.data[r * t.columns + c] = t.data[c * t.rows + r];
      }
    }
    return result;
  }
  function negate(column) {
    for (let i = 0; i < column.length; i++) column[i] = -column[i];
  }

  // src/rules.ts
  function ruleOf({ initializer, shape, fanAxes }) {
    const sizes = fans(shape, fanAxes);
    switch (initializer.kind) {
      case "random_uniform":
        return { ...initializer, kind: "uniform" };
      case "random_normal":
        return untruncated(initializer.stddev, initializer.mean);
      case "truncated_normal":
        return { ...initializer, kind: "normal" };
      case "variance_scaling":
        return varianceScaling(sizes, initializer);
      case "glorot_uniform":
        return varianceScaling(sizes, named(1, "fan_avg", "uniform"));
      case "glorot_normal":
        return varianceScaling(sizes, named(1, "fan_avg", "truncated_normal"));
      case "he_uniform":
        return varianceScaling(sizes, named(2, "fan_in", "uniform"));
      case "he_normal":
        return varianceScaling(sizes, named(2, "fan_in", "truncated_normal"));
      case "lecun_uniform":
        return varianceScaling(sizes, named(1, "fan_in", "uniform"));
      case "lecun_normal":
        return varianceScaling(sizes, named(1, "fan_in", "truncated_normal"));
      case "xavier_uniform":
        return symmetric(Math.sqrt(3) * xavier(sizes, initializer.gain));
      case "xavier_normal":
        return untruncated(xavier(sizes, initializer.gain));
      case "kaiming_uniform":
        return symmetric(Math.sqrt(3) * kaiming(sizes, initializer));
      case "kaiming_normal":
        return untruncated(kaiming(sizes, initializer));
      default:
        return void 0;
    }
  }
  function untruncated(stddev, mean = 0) {
    return { kind: "normal", mean, stddev, lower: -Infinity, upper: Infinity };
  }
  function symmetric(limit) {
    return { kind: "uniform", minval: -limit, maxval: limit };
  }
  function named(scale, mode, distribution) {
    return { scale, mode, distribution, lower: -2, upper: 2 };
  }
  function varianceScaling(sizes, parameters) {
    const { scale, mode, distribution, lower, upper } = parameters;
    const variance = scale / Math.max(1, fanOf(sizes, mode));
    switch (distribution) {
      case "uniform":
        return symmetric(Math.sqrt(3 * variance));
      case "untruncated_normal":
        return untruncated(Math.sqrt(variance));
      case "truncated_normal": {
        const left = momentsOf({ lower, upper }).stddev;
        return { kind: "normal", mean: 0, stddev: Math.sqrt(variance) / left, lower, upper };
      }
    }
  }
  function fanOf({ fanIn, fanOut }, mode) {
    switch (mode) {
      case "fan_in":
        return fanIn;
      case "fan_out":
        return fanOut;
      case "fan_avg":
        return (fanIn + fanOut) / 2;
      case "fan_geo_avg":
        return Math.sqrt(fanIn * fanOut);
    }
  }
  function xavier({ fanIn, fanOut }, gain) {
    return gain * Math.sqrt(2 / Math.max(1, fanIn + fanOut));
  }
  function kaiming(sizes, { a, mode, nonlinearity }) {
    return gainOf(nonlinearity, a) / Math.sqrt(Math.max(1, fanOf(sizes, mode)));
  }
  function gainOf(nonlinearity, a) {
    switch (nonlinearity) {
      case "linear":
      case "sigmoid":
        return 1;
      case "tanh":
        return 5 / 3;
      case "relu":
        return Math.sqrt(2);
      case "leaky_relu":
        return Math.sqrt(2 / (1 + a * a));
      case "selu":
        return 0.75;
    }
  }

  // src/orthogonal.ts
  function orthogonalMatrices({ shape, fanAxes }, { blocks, block_axis }) {
    const { batch } = axesOf(shape, fanAxes);
    const isMatrix = shape.length - batch.length >= 2;
    require2(isMatrix, "shape", "must have two axes or more besides those of the batch", shape);
    if (blocks === 1 && block_axis === -1) return new Matrices(shape, { batch });
    const axis2 = positiveAxis(block_axis, shape.length, "block_axis");
    if (batch.includes(axis2)) throw new ArgumentError("block_axis", "must not be in batchAxis", axis2);
    const allowed = `must divide the length ${shape[axis2]} of axis ${axis2}`;
    require2(shape[axis2] % blocks === 0, "blocks", allowed, blocks);
    return new Matrices(shape, { batch, blocks: { axis: axis2, count: blocks } });
  }
  function deltaMatrices(spec) {
    const { shape } = spec;
    const { input, output, spatial, batch } = convolutionAxes(spec);
    const allowed = "must not have more inputs than outputs";
    require2(shape[input] <= shape[output], "shape", allowed, shape);
    const centre = spatial.map((axis2) => [axis2, Math.floor((shape[axis2] - 1) / 2)]);
    return new Matrices(shape, { batch, fixed: new Map(centre) });
  }
  function orthogonal(words, matrices, gain) {
    const normals = normal64(words, untruncated(1));
    const known = /* @__PURE__ */ new Map();
    const location2 = { matrix: 0, place: 0 };
    return (index) => {
      if (!matrices.locate(index, location2)) return 0;
      const number3 = location2.matrix;
      let content = known.get(number3);
      if (content === void 0) {
        content = oneMatrix(matrices, number3, normals, gain);
        known.set(number3, content);
      }
      return content[location2.place];
    };
  }
  function oneMatrix(matrices, number3, normals, gain) {
    const { rows, columns } = matrices;
    const m = Math.max(rows, columns);
    const n = Math.min(rows, columns);
    const a = matrix(m, n);
    for (let i = 0; i < m; i++) {
      for (let j = 0; j < n; j++) {
        const index = matrices.index({ matrix: number3, place: i * n + j });
        a.data[j * m + i] = normals(index);
      }
    }
    const q = orthonormal(a).data;
    const content = new Float64Array(m * n);
    for (let place = 0; place < content.length; place++) {
      const column = place % columns;
      const row = (place - column) / columns;
      content[place] = gain * (rows < columns ? q[row * m + column] : q[column * m + row]);
    }
    return content;
  }

  // src/narrow.ts
  var FLOAT16 = {
    exponentBits: 5,
    fractionBits: 10,
    beyond: 31744,
    largest: 65504
  };
  var BFLOAT16 = {
    exponentBits: 8,
    fractionBits: 7,
    beyond: 32640,
    largest: (2 - 2 ** -7) * 2 ** 127
  };
  var FLOAT8_E4M3FN = {
    exponentBits: 4,
    fractionBits: 3,
    beyond: 126,
    largest: 448
  };
  var FLOAT8_E5M2 = {
    exponentBits: 5,
    fractionBits: 2,
    beyond: 123,
    largest: 57344
  };
  function narrowBits(x, type) {
    const bits = float32Bits(x);
    const magnitude = bits & 2147483647;
    const { exponentBits, fractionBits, beyond } = type;
    const bias = biasOf(type);
    const shift = 23 - fractionBits;
    let rounded;
    if (magnitude < 128 - bias << 23) {
      const magic = 2 ** (24 - bias - fractionBits);
      rounded = float32Bits(float32From(magnitude) + magic) - float32Bits(magic);
    } else {
      const isOdd = magnitude >>> shift & 1;
      const rebased = magnitude - (127 - bias << 23);
      rounded = rebased + (1 << shift - 1) - 1 + isOdd >>> shift;
    }
    const sign = bits >>> 31 << exponentBits + fractionBits;
    return sign | Math.min(rounded, beyond);
  }
  function narrowValue(bits, type) {
    const { exponentBits, fractionBits } = type;
    const sign = bits >>> exponentBits + fractionBits & 1 ? -1 : 1;
    const exponent = bits >>> fractionBits & (1 << exponentBits) - 1;
    const fraction = bits & (1 << fractionBits) - 1;
    const leading = exponent === 0 ? 0 : 1 << fractionBits;
    const power = Math.max(exponent, 1) - biasOf(type) - fractionBits;
    return sign * (leading + fraction) * 2 ** power;
  }
  function biasOf({ exponentBits }) {
    return (1 << exponentBits - 1) - 1;
  }

  // src/dtypes.ts
  var LARGEST_FLOAT32 = (2 - 2 ** -23) * 2 ** 127;
  var TABLE = {
    float16: narrow(2, FLOAT16, 65520, false),
    bfloat16: narrow(2, BFLOAT16, (2 - 2 ** -8) * 2 ** 127, false),
    float32: {
      ...{ kind: "float", bytes: 4, saturates: false },
      largest: LARGEST_FLOAT32,
      overflow: Infinity,
      store: (view2, at, value) => view2.setFloat32(at, Number(value), true),
      load: (view2, at) => view2.getFloat32(at, true)
    },
    float64: {
      ...{ kind: "float", bytes: 8, saturates: false },
      largest: Number.MAX_VALUE,
      overflow: Infinity,
      store: (view2, at, value) => view2.setFloat64(at, Number(value), true),
      load: (view2, at) => view2.getFloat64(at, true)
    },
    float8_e4m3fn: narrow(1, FLOAT8_E4M3FN, 464 + 2 ** -15, true),
    float8_e5m2: narrow(1, FLOAT8_E5M2, 61440, true),
    int8: integer(1, true),
    int16: integer(2, true),
    int32: integer(4, true),
    int64: integer(8, true),
    uint8: integer(1, false),
    uint16: integer(2, false),
    uint32: integer(4, false),
    uint64: integer(8, false),
    bool: { ...integer(1, false), most: 1n }
  };
  var DTYPES = Object.keys(TABLE);
  function dtypeInfo(dtype) {
    require2(Object.hasOwn(TABLE, dtype), "dtype", `must be one of ${DTYPES.join(", ")}`, dtype);
    return TABLE[dtype];
  }
  function isDouble(dtype) {
    return dtype === "float64";
  }
  function narrow(bytes, type, overflow, saturates) {
    const info = { kind: "float", bytes, largest: type.largest, overflow, saturates };
    if (bytes === 1) {
      return {
        ...info,
        store: (view2, at, value) => view2.setUint8(at, narrowBits(Number(value), type)),
        load: (view2, at) => narrowValue(view2.getUint8(at), type)
      };
    }
    return {
      ...info,
      store: (view2, at, value) => view2.setUint16(at, narrowBits(Number(value), type), true),
      load: (view2, at) => narrowValue(view2.getUint16(at, true), type)
    };
  }
  function integer(bytes, isSigned) {
    const bits = BigInt(8 * bytes);
    const most = isSigned ? (1n << bits - 1n) - 1n : (1n << bits) - 1n;
    const range = { kind: "integer", bytes, most, least: isSigned ? -most - 1n : 0n };
    return { ...range, ...integerCodec(bytes, isSigned) };
  }
  function integerCodec(bytes, isSigned) {
    switch (bytes) {
      case 1:
        return {
          store: (view2, at, value) => view2.setUint8(at, Number(value)),
          load: (view2, at) => isSigned ? view2.getInt8(at) : view2.getUint8(at)
        };
      case 2:
        return {
          store: (view2, at, value) => view2.setUint16(at, Number(value), true),
          load: (view2, at) => isSigned ? view2.getInt16(at, true) : view2.getUint16(at, true)
        };
      case 4:
        return {
          store: (view2, at, value) => view2.setUint32(at, Number(value), true),
          load: (view2, at) => isSigned ? view2.getInt32(at, true) : view2.getUint32(at, true)
        };
      case 8:
        return {
          store: (view2, at, value) => view2.setBigUint64(at, BigInt(value), true),
          load: (view2, at) => isSigned ? view2.getBigInt64(at, true) : view2.getBigUint64(at, true)
        };
    }
  }

  // src/constants.ts
  function held(value, dtype, argument) {
    const info = dtypeInfo(dtype);
    if (info.kind === "integer") {
      const allowed2 = `must be an integer from ${info.least} to ${info.most} for dtype=${dtype}`;
      require2(typeof value === "bigint" || Number.isInteger(value), argument, allowed2, value);
      const exact2 = BigInt(value);
      require2(exact2 >= info.least && exact2 <= info.most, argument, allowed2, value);
      return exact2;
    }
    const real = Number(value);
    const size = Math.abs(dtype === "float64" ? real : Math.fround(real));
    const allowed = `must not be beyond ${info.largest}, the largest number of dtype=${dtype}`;
    require2(size < info.overflow, argument, allowed, value);
    return real;
  }
  function constant({ dtype }, value) {
    const element = held(value, dtype, "value");
    return () => element;
  }
  function identity({ shape, fanAxes, dtype }, gain) {
    const { batch } = axesOf(shape, fanAxes);
    const isMatrix = shape.length - batch.length === 2;
    require2(isMatrix, "shape", "must have two axes besides those of the batch", shape);
    const element = held(gain, dtype, "gain");
    const matrices = new Matrices(shape, { batch });
    const { columns } = matrices;
    const location2 = { matrix: 0, place: 0 };
    return (index) => {
      matrices.locate(index, location2);
      const column = location2.place % columns;
      return (location2.place - column) / columns === column ? element : 0;
    };
  }

  // src/sha256.ts
  var ROUND_CONSTANTS = new Uint32Array([
    1116352408,
    1899447441,
    3049323471,
    3921009573,
    961987163,
    1508970993,
    2453635748,
    2870763221,
    3624381080,
    310598401,
    607225278,
    1426881987,
    1925078388,
    2162078206,
    2614888103,
    3248222580,
    3835390401,
    4022224774,
    264347078,
    604807628,
    770255983,
    1249150122,
    1555081692,
    1996064986,
    2554220882,
    2821834349,
    2952996808,
    3210313671,
    3336571891,
    3584528711,
    113926993,
    338241895,
    666307205,
    773529912,
    1294757372,
    1396182291,
    1695183700,
    1986661051,
    2177026350,
    2456956037,
    2730485921,
    2820302411,
    3259730800,
    3345764771,
    3516065817,
    3600352804,
    4094571909,
    275423344,
    430227734,
    506948616,
    659060556,
    883997877,
    958139571,
    1322822218,
    1537002063,
    1747873779,
    1955562222,
    2024104815,
    2227730452,
    2361852424,
    2428436474,
    2756734187,
    3204031479,
    3329325298
  ]);
  function sha256(data) {
    const state = new Uint32Array([
      1779033703,
      3144134277,
      1013904242,
      2773480762,
      1359893119,
      2600822924,
      528734635,
      1541459225
    ]);
    const schedule = new Uint32Array(64);
    const whole = data.length - data.length % 64;
    compressAll(state, schedule, data.subarray(0, whole));
    compressAll(state, schedule, padded(data.subarray(whole), data.length));
    const digest2 = new DataView(new ArrayBuffer(32));
    state.forEach((word2, i) => digest2.setUint32(4 * i, word2));
    return new Uint8Array(digest2.buffer);
  }
  function padded(rest, length) {
    const block = new Uint8Array(rest.length < 56 ? 64 : 128);
    block.set(rest);
    block[rest.length] = 128;
    new DataView(block.buffer).setBigUint64(block.length - 8, 8n * BigInt(length));
    return block;
  }
  function compressAll(state, schedule, blocks) {
    const view2 = new DataView(blocks.buffer, blocks.byteOffset, blocks.length);
    for (let at = 0; at < blocks.length; at += 64) compress(state, schedule, view2, at);
  }
  function compress(state, w, view2, at) {
    for (let t = 0; t < 16; t++) w[t] = view2.getUint32(at + 4 * t);
    for (let t = 16; t < 64; t++) {
      const x = w[t - 15];
      const y = w[t - 2];
      const s0 = rotated(x, 7) ^ rotated(x, 18) ^ x >>> 3;
      const s1 = rotated(y, 17) ^ rotated(y, 19) ^ y >>> 10;
      w[t] = w[t - 16] + s0 + w[t - 7] + s1;
    }
    let [a, b, c, d, e, f, g, h] = state;
    for (let t = 0; t < 64; t++) {
      const s1 = rotated(e, 6) ^ rotated(e, 11) ^ rotated(e, 25);
      const choice2 = e & f ^ ~e & g;
      const t1 = h + s1 + choice2 + ROUND_CONSTANTS[t] + w[t] | 0;
      const s0 = rotated(a, 2) ^ rotated(a, 13) ^ rotated(a, 22);
      const majority = a & b ^ a & c ^ b & c;
      [h, g, f, e, d, c, b, a] = [g, f, e, d + t1 | 0, c, b, a, t1 + s0 + majority | 0];
    }
    [a, b, c, d, e, f, g, h].forEach((word2, i) => state[i] += word2);
  }
  function rotated(x, places) {
    return x >>> places | x << 32 - places;
  }

  // src/key.ts
  var MAX_NAME_BYTES = 1024;
  var LONE_SURROGATE = /\p{Surrogate}/u;
  var CONTRACT = new TextEncoder().encode("seedbed-1\0");
  function deriveKeys(seed, draw, name) {
    const material = new DataView(sha256(keyMaterial(seed, draw, name)).buffer);
    return { values: keyAt(material, 0), places: keyAt(material, 16) };
  }
  function nameBytes(name) {
    const bytes = new TextEncoder().encode(name);
    require2(bytes.length <= MAX_NAME_BYTES, "name", "must have at most 1024 bytes in UTF-8", name);
    require2(!LONE_SURROGATE.test(name), "name", "must have no lone surrogates", name);
    return bytes;
  }
  function keyMaterial(seed, draw, name) {
    const text2 = nameBytes(name);
    const material = new Uint8Array(CONTRACT.length + 16 + text2.length);
    material.set(CONTRACT);
    const integers2 = new DataView(material.buffer, CONTRACT.length, 16);
    integers2.setBigUint64(0, BigInt.asUintN(64, seed), true);
    integers2.setBigUint64(8, draw, true);
    material.set(text2, CONTRACT.length + 16);
    return material;
  }
  function keyAt(material, at) {
    const word2 = (i) => material.getUint32(at + 4 * i, true);
    return { key0: word2(0), key1: word2(1), counter2: word2(2), counter3: word2(3) };
  }

  // src/limits.ts
  var FILL_ANY_DTYPE = ["zeros", "ones", "constant", "identity", "dirac"];
  var FARTHEST2 = 11;
  function checkLimits(initializer, dtype) {
    const { kind } = initializer;
    const info = dtypeInfo(dtype);
    if (FILL_ANY_DTYPE.includes(kind)) return;
    require2(info.kind === "float", "dtype", `must be a floating one for ${kind}`, dtype);
    const { largest } = info;
    const reach = info.saturates ? LARGEST_FLOAT32 : largest;
    const atMost = (most, argument, value) => require2(value <= most, argument, `must be at most ${most} for dtype=${dtype}`, value);
    switch (initializer.kind) {
      case "random_uniform": {
        const { minval, maxval } = initializer;
        atMost(largest, "|minval|", Math.abs(minval));
        atMost(largest, "|maxval|", Math.abs(maxval));
        const width = isDouble(dtype) ? Number.MAX_VALUE : LARGEST_FLOAT32;
        atMost(width, "maxval - minval", maxval - minval);
        break;
      }
      case "random_normal":
      case "truncated_normal": {
        const mean = Math.abs(initializer.mean);
        atMost(largest, "|mean|", mean);
        const end = mean + FARTHEST2 * initializer.stddev;
        atMost(reach, `|mean| + ${FARTHEST2} * stddev`, end);
        break;
      }
      case "variance_scaling":
        atMost(Number.MAX_VALUE, "3 * scale", 3 * initializer.scale);
        atMost(reach, "scale's farthest number", farOf(initializer) * Math.sqrt(initializer.scale));
        break;
      case "xavier_uniform":
      case "xavier_normal":
        atMost(reach, "16.5 * gain", 16.5 * initializer.gain);
        break;
      case "orthogonal":
      case "delta_orthogonal":
        atMost(largest, "2 * |gain|", 2 * Math.abs(initializer.gain));
        break;
      case "sparse":
        atMost(reach, `${FARTHEST2} * stddev`, FARTHEST2 * initializer.stddev);
        break;
    }
  }
  function farOf({ lower, upper }) {
    if (lower === -2 && upper === 2) return 8;
    const farther = Math.max(Math.abs(lower), Math.abs(upper), 1);
    return 8 * Math.min(farther, FARTHEST2) / Math.min(upper - lower, 1);
  }

  // src/sparse.ts
  function zerosOfLine(length, sparsity) {
    return Math.min(length, Math.ceil(sparsity * length));
  }
  function sparse({ shape }, { sparsity, axis: axis2 }, others, places) {
    require2(shape.length === 2, "shape", "must have two axes", shape);
    const [rows, columns] = shape;
    const isColumn = axis2 === 0 || axis2 === -2;
    const length = isColumn ? rows : columns;
    require2(length <= 2 ** 32, "shape", "must have at most 2**32 elements in a line", shape);
    const zeros = zerosOfLine(length, sparsity);
    const known = /* @__PURE__ */ new Map();
    const indexOf = (line, place) => isColumn ? place * columns + line : line * columns + place;
    const zerosOf = (line) => {
      const found = known.get(line);
      if (found !== void 0) return found;
      const words = Float64Array.from({ length }, (_, at) => places.word32(indexOf(line, at)));
      const isZero = smallest(words, zeros);
      known.set(line, isZero);
      return isZero;
    };
    return (index) => {
      const column = index % columns;
      const row = (index - column) / columns;
      const isZero = isColumn ? zerosOf(column)[row] : zerosOf(row)[column];
      return isZero === 1 ? 0 : others(index);
    };
  }
  function smallest(words, count2) {
    const marks = new Uint8Array(words.length);
    const order = Uint32Array.from(words.keys());
    order.sort((a, b) => words[a] - words[b] || a - b);
    for (const place of order.subarray(0, count2)) marks[place] = 1;
    return marks;
  }

  // src/windows.ts
  var COSINE_SUMS = {
    boxcar: [1000000000n],
    hann: [500000000n, 500000000n],
    hamming: [540000000n, 460000000n],
    blackman: [420000000n, 500000000n, 80000000n],
    nuttall: [363581900n, 489177500n, 136599500n, 10641100n],
    blackmanharris: [358750000n, 488290000n, 141280000n, 11680000n],
    flattop: [215578950n, 416631580n, 277263158n, 83578947n, 6947368n]
  };
  var UNITS = 1000000000n;
  var ZERO_AT_THE_ENDS = [
    ...["hann", "blackman", "bartlett", "barthann", "bohman", "lanczos"]
  ];
  function isZeroWindow(window, length, periodic) {
    return length === 2 && !periodic && ZERO_AT_THE_ENDS.includes(window);
  }
  function windowAt(r, window, t, length, periodic) {
    if (length === 1 || window === "none") return r.integer(1);
    const m = periodic ? length + 1 : length;
    const d = Math.abs(2 * t - (m - 1));
    const last = m - 1;
    switch (window) {
      case "bartlett":
        return r.ratio(last - d, last);
      case "triang": {
        const width = m % 2 === 0 ? m : m + 1;
        return r.ratio(width - d, width);
      }
      case "cosine":
        return r.sineOfTurns(2 * t + 1, 4 * m);
      case "barthann": {
        const slope = r.ratio(48 * d, 2 * last);
        const wave = r.times(r.cosineOfTurns(d, 2 * last), 38n);
        return r.quotient(r.add(r.subtract(r.integer(62), slope), wave), 100n);
      }
      case "bohman": {
        const sides = r.multiply(r.ratio(last - d, last), r.cosineOfTurns(d, 2 * last));
        return r.add(sides, r.divide(r.sineOfTurns(d, 2 * last), r.pi));
      }
      case "parzen":
        return parzen(r, d, m);
      case "lanczos": {
        if (d === 0) return r.integer(1);
        const angle = r.quotient(r.times(r.pi, BigInt(d)), BigInt(last));
        return r.divide(r.sineOfTurns(d, 2 * last), angle);
      }
      default:
        return cosineSum(r, COSINE_SUMS[window], t, last);
    }
  }
  function cosineSum(r, a, t, last) {
    const terms = a.map(
      (weight, k) => r.times(r.cosineOfTurns(k * t, last), k % 2 === 0 ? weight : -weight)
    );
    return r.quotient(terms.reduce((sum, term) => r.add(sum, term)), UNITS);
  }
  function parzen(r, d, m) {
    const [x, whole] = [BigInt(d), BigInt(m)];
    const cube = whole ** 3n;
    return 2 * d <= m - 1 ? r.ratio(cube - 6n * x * x * (whole - x), cube) : r.ratio(2n * (whole - x) ** 3n, cube);
  }

  // src/stft.ts
  var LONGEST = 2 ** 16;
  function stft({ shape }, parameters) {
    const isKernel = shape.length === 3 && shape[1] === 1 && shape[2] >= 2;
    require2(isKernel, "shape", "must be [N, 1, B] with B of 2 or more", shape);
    const isSmall = shape.every((length2) => length2 <= LONGEST);
    require2(isSmall, "shape", `must have lengths of at most ${LONGEST}`, shape);
    const [length, , bins] = shape;
    const { window, scaling, periodic } = parameters;
    const isZero = isZeroWindow(window, length, periodic);
    const allowed = `must be none, as the whole window ${window} of length 2 is 0`;
    require2(!isZero || scaling === "none", "scaling", allowed, scaling);
    const kernels = /* @__PURE__ */ new Map();
    const kernelOf = (r) => {
      const kernel = kernels.get(r.bits) ?? new Kernel(r, length, bins, parameters);
      kernels.set(r.bits, kernel);
      return kernel;
    };
    return (index) => {
      const k = index % bins;
      const t = (index - k) / bins;
      return exactly((r) => kernelOf(r).at(t, k));
    };
  }
  var Kernel = class {
    constructor(r, length, bins, parameters) {
      this.r = r;
      this.parameters = parameters;
      this.#period = 2 * (bins - 1);
      const { window, periodic } = parameters;
      const weights = Array.from({ length }, (_, t) => windowAt(r, window, t, length, periodic));
      const divisor = divisorOf(r, weights, parameters);
      this.#frame = weights.map((weight) => r.divide(weight, divisor));
    }
    r;
    parameters;
    #frame;
    #waves = /* @__PURE__ */ new Map();
    #period;
    at(t, k) {
      return this.r.multiply(this.#wave(t * k % this.#period), this.#frame[t]);
    }
    #wave(step) {
      let wave = this.#waves.get(step);
      if (wave === void 0) {
        const { r } = this;
        wave = this.parameters.side === "real" ? r.cosineOfTurns(step, this.#period) : r.negative(r.sineOfTurns(step, this.#period));
        this.#waves.set(step, wave);
      }
      return wave;
    }
  };
  function divisorOf(r, weights, { window, scaling }) {
    if (window === "none" || scaling === "none") return r.integer(1);
    const sum = (terms) => terms.reduce((total, term) => r.add(total, term), r.integer(0));
    return scaling === "density" ? r.squareRoot(sum(weights.map((weight) => r.multiply(weight, weight)))) : sum(weights.map((weight) => r.absolute(weight)));
  }

  // src/initializers.ts
  var finite = (n) => typeof n === "number" && Number.isFinite(n);
  function number(standard, allowed = "must be finite", accepts = Number.isFinite) {
    return { default: standard, allowed, accepts: (n) => typeof n === "number" && accepts(n) };
  }
  function notNegative(standard) {
    return number(standard, "must be finite and 0 or more", (n) => finite(n) && n >= 0);
  }
  function choice(standard, ...others) {
    const choices = [standard, ...others];
    return {
      default: standard,
      choices,
      allowed: `must be one of ${choices.join(", ")}`,
      accepts: (word2) => typeof word2 === "string" && choices.includes(word2)
    };
  }
  var COUNT = number(1, "must be an integer of 1 or more", (n) => Number.isSafeInteger(n) && n > 0);
  var GAIN = number(1);
  var LOWER = number(-2, "must be at most 4", (n) => n <= 4);
  var UPPER = number(2, "must be -4 or more", (n) => n >= -4);
  var KAIMING = {
    a: number(0, "must be finite, and its square, too", (a) => finite(a * a)),
    mode: choice("fan_in", "fan_out"),
    nonlinearity: choice("leaky_relu", "linear", "sigmoid", "tanh", "relu", "selu")
  };
  var PARAMETERS = {
    zeros: {},
    ones: {},
    constant: {
      value: {
        default: 0,
        allowed: "must be finite, a bigint from -2**63 to 2**64 - 1",
        accepts: (n) => typeof n === "bigint" ? n >= -(2n ** 63n) && n < 2n ** 64n : Number.isFinite(n)
      }
    },
    identity: { gain: GAIN },
    dirac: { groups: COUNT },
    stft: {
      side: choice("real", "imag"),
      window: choice(
        "hann",
        ...["none", "boxcar", "hamming", "blackman", "nuttall", "blackmanharris", "flattop"],
        ...["bartlett", "triang", "cosine", "barthann", "bohman", "parzen", "lanczos"]
      ),
      scaling: choice("density", "spectrum", "none"),
      periodic: {
        default: false,
        allowed: "must be true or false",
        accepts: (flag) => typeof flag === "boolean"
      }
    },
    random_uniform: { minval: number(-0.05), maxval: number(0.05) },
    random_normal: { mean: number(0), stddev: notNegative(0.05) },
    truncated_normal: { mean: number(0), stddev: notNegative(0.05), lower: LOWER, upper: UPPER },
    variance_scaling: {
      scale: number(1, "must be finite and positive", (n) => finite(n) && n > 0),
      mode: choice("fan_in", "fan_out", "fan_avg", "fan_geo_avg"),
      distribution: choice("truncated_normal", "uniform", "untruncated_normal"),
      lower: LOWER,
      upper: UPPER
    },
    glorot_uniform: {},
    glorot_normal: {},
    he_uniform: {},
    he_normal: {},
    lecun_uniform: {},
    lecun_normal: {},
    xavier_uniform: { gain: notNegative(1) },
    xavier_normal: { gain: notNegative(1) },
    kaiming_uniform: KAIMING,
    kaiming_normal: KAIMING,
    orthogonal: {
      gain: GAIN,
      blocks: COUNT,
      block_axis: number(-1, "must be an integer", Number.isSafeInteger)
    },
    delta_orthogonal: { gain: GAIN },
    sparse: {
      sparsity: {
        allowed: "must be from 0 to 1",
        accepts: (n) => typeof n === "number" && n >= 0 && n <= 1
      },
      stddev: notNegative(0.01),
      axis: number(0, "must be 0, 1, -1 or -2", (n) => [0, 1, -1, -2].includes(n))
    }
  };
  var INITIALIZERS = Object.keys(PARAMETERS);
  function resolved(initializer) {
    const { kind, ...given } = initializer;
    const isKnown = Object.hasOwn(PARAMETERS, kind);
    require2(isKnown, "initializer.kind", `must be one of ${INITIALIZERS.join(", ")}`, kind);
    const parameters = PARAMETERS[kind];
    for (const name of Object.keys(given)) {
      if (Object.hasOwn(parameters, name)) continue;
      const names = Object.keys(parameters);
      const allowed = `takes ${names.length > 0 ? names.join(", ") : "no parameters"}`;
      throw new ArgumentError(kind, allowed, name);
    }
    const values = { kind };
    for (const [name, parameter] of Object.entries(parameters)) {
      const value = given[name] ?? parameter.default;
      require2(parameter.accepts(value), name, parameter.allowed, value);
      values[name] = value;
    }
    const complete = values;
    checkTogether(complete);
    return complete;
  }
  function checkTogether(initializer) {
    switch (initializer.kind) {
      case "random_uniform": {
        const { minval, maxval } = initializer;
        require2(minval <= maxval, "maxval", `must be minval=${minval} or more`, maxval);
        break;
      }
      case "truncated_normal":
        checkBounds(initializer);
        break;
      case "variance_scaling": {
        checkBounds(initializer);
        const { distribution, lower, upper } = initializer;
        const isDefault = lower === -2 && upper === 2;
        require2(
          isDefault || distribution === "truncated_normal",
          "lower and upper",
          `must be -2 and 2 for distribution=${distribution}`,
          [lower, upper]
        );
        break;
      }
    }
  }
  function checkBounds({ lower, upper }) {
    require2(lower < upper, "upper", `must be more than lower=${lower}`, upper);
  }

  // src/tensors.ts
  function checked(request) {
    const { name = "", shape, dtype, seed = 0, draw = 0, fanAxes } = request;
    require2(typeof name === "string", "name", "must be text", name);
    nameBytes(name);
    checkShape(shape);
    dtypeInfo(dtype);
    axesOf(shape, fanAxes);
    const slice = request.slice ?? wholeSlice(shape);
    checkSlice(slice, shape);
    return {
      ...{ name, shape, dtype, fanAxes, slice },
      initializer: resolved(request.initializer),
      seed: integer2("seed", seed, -(2n ** 63n), "-2**63"),
      draw: integer2("draw", draw, 0n, "0")
    };
  }
  function integer2(argument, value, least, leastShown) {
    const isInteger = typeof value === "bigint" || Number.isSafeInteger(value);
    const allowed = `must be an integer from ${leastShown} to 2**64 - 1, a bigint if beyond 2**53`;
    require2(isInteger, argument, allowed, value);
    const exact2 = BigInt(value);
    require2(exact2 >= least && exact2 < 2n ** 64n, argument, allowed, value);
    return exact2;
  }

  // src/uniform.ts
  function uniform32(words, { minval, maxval }) {
    const width = Math.fround(maxval - minval);
    const low = Math.fround(minval);
    const below = nextBelow32(Math.fround(maxval));
    const ceiling = low >= below ? low : below;
    return (index) => {
      const unit = (words.word32(index) >>> 8) * 2 ** -24;
      const value = fma32(unit, width, low);
      return value < ceiling ? value : ceiling;
    };
  }
  function uniform64(words, { minval, maxval }) {
    const width = maxval - minval;
    const below = nextBelow64(maxval);
    const ceiling = minval >= below ? minval : below;
    return (index) => {
      const at = words.seek64(index);
      const unit = (words.lanes[at + 1] * 2 ** 21 + (words.lanes[at] >>> 11)) * 2 ** -53;
      const value = fma64(unit, width, minval);
      return value < ceiling ? value : ceiling;
    };
  }

  // src/words.ts
  var MULTIPLIER_0 = 3528531795;
  var MULTIPLIER_1 = 3449720151;
  var WEYL_0 = 2654435769;
  var WEYL_1 = 3144134277;
  var ROUNDS = 10;
  var Words = class {
    constructor(key) {
      this.key = key;
    }
    key;
    /** The lanes of the current block. */
    lanes = new Uint32Array(4);
    #block = -1;
    /** The 32-bit word of an element. */
    word32(index) {
      const lane = index % 4;
      this.#seek((index - lane) / 4);
      return this.lanes[lane];
    }
    /** Where in `lanes` the 64-bit word of an element now is: its lower half, then its upper. */
    seek64(index) {
      const half = index % 2;
      this.#seek((index - half) / 2);
      return 2 * half;
    }
    #seek(block) {
      if (block === this.#block) return;
      this.#block = block;
      philox(this.lanes, block >>> 0, Math.floor(block / 2 ** 32), this.key);
    }
  };
  function philox(lanes, counter0, counter1, key) {
    let x0 = counter0;
    let x1 = counter1;
    let x2 = key.counter2;
    let x3 = key.counter3;
    let k0 = key.key0;
    let k1 = key.key1;
    for (let round = 0; round < ROUNDS; round++) {
      const high0 = highProduct(MULTIPLIER_0, x0);
      const high1 = highProduct(MULTIPLIER_1, x2);
      const low0 = Math.imul(MULTIPLIER_0, x0);
      const low1 = Math.imul(MULTIPLIER_1, x2);
      x0 = (high1 ^ x1 ^ k0) >>> 0;
      x1 = low1 >>> 0;
      x2 = (high0 ^ x3 ^ k1) >>> 0;
      x3 = low0 >>> 0;
      k0 = k0 + WEYL_0 >>> 0;
      k1 = k1 + WEYL_1 >>> 0;
    }
    lanes[0] = x0;
    lanes[1] = x1;
    lanes[2] = x2;
    lanes[3] = x3;
  }
  function highProduct(a, b) {
    const lower = b * (a & 65535);
    const upper = b * (a >>> 16) + Math.floor(lower / 65536);
    return Math.floor(upper / 65536);
  }

  // src/sampling.ts
  var MAX_BYTES = 2 ** 32;
  function sample(request) {
    const spec = checked(request);
    const { dtype, shape, slice } = spec;
    const { bytes: size, store } = dtypeInfo(dtype);
    const total = elementCount(slice.lengths) * size;
    require2(total <= MAX_BYTES, "slice", `must have at most ${MAX_BYTES} bytes`, total);
    const elements = elementsOf(spec);
    const view2 = new DataView(new ArrayBuffer(total));
    const rowLength = slice.lengths.at(-1) ?? 1;
    let at = 0;
    for (const first of rowStarts(slice, shape)) {
      for (let index = first; index < first + rowLength; index++, at += size) {
        store(view2, at, elements(index));
      }
    }
    return { shape: slice.lengths, dtype, bytes: new Uint8Array(view2.buffer) };
  }
  function numbers({ dtype, bytes }) {
    const { bytes: size, load } = dtypeInfo(dtype);
    const view2 = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return Array.from({ length: bytes.byteLength / size }, (_, i) => load(view2, i * size));
  }
  function elementsOf(spec) {
    const { initializer, dtype } = spec;
    checkLimits(initializer, dtype);
    const keys = deriveKeys(spec.seed, spec.draw, spec.name);
    const words = new Words(keys.values);
    switch (initializer.kind) {
      case "zeros":
        return constant(spec, 0);
      case "ones":
        return constant(spec, 1);
      case "constant":
        return constant(spec, initializer.value);
      case "identity":
        return identity(spec, initializer.gain);
      case "dirac":
        return dirac(spec, initializer.groups);
      case "stft":
        return stft(spec, initializer);
      case "orthogonal":
        return orthogonal(words, orthogonalMatrices(spec, initializer), initializer.gain);
      case "delta_orthogonal":
        return orthogonal(words, deltaMatrices(spec), initializer.gain);
      case "sparse": {
        const others = independent(words, untruncated(initializer.stddev), dtype);
        return sparse(spec, initializer, others, new Words(keys.places));
      }
      default:
        return independent(words, ruleOf(spec), dtype);
    }
  }
  function independent(words, rule, dtype) {
    const isWide = isDouble(dtype);
    if (rule.kind === "uniform") return isWide ? uniform64(words, rule) : uniform32(words, rule);
    return isWide ? normal64(words, rule) : normal32(words, rule);
  }

  // src/description.ts
  function describe(request) {
    const spec = checked(request);
    elementsOf(spec);
    return { fans: fans(spec.shape, spec.fanAxes), ...distributionOf(spec) };
  }
  function distributionOf(spec) {
    const { initializer, shape } = spec;
    switch (initializer.kind) {
      case "sparse": {
        const { sparsity, stddev, axis: axis2 } = initializer;
        const length = shape[axis2 < 0 ? axis2 + 2 : axis2];
        const zeros = length === 0 ? 0 : zerosOfLine(length, sparsity) / length;
        return { ...ofRule(untruncated(stddev)), zeros };
      }
      case "orthogonal":
        return { ...onSphere(orthogonalMatrices(spec, initializer), initializer.gain), zeros: 0 };
      case "delta_orthogonal": {
        const places = convolutionAxes(spec).spatial.map((axis2) => shape[axis2]);
        const zeros = 1 - 1 / Math.max(1, elementCount(places));
        return { ...onSphere(deltaMatrices(spec), initializer.gain), zeros };
      }
      default: {
        const rule = ruleOf(spec);
        return rule === void 0 ? { distribution: { kind: "fixed" }, zeros: 0 } : { ...ofRule(rule), zeros: 0 };
      }
    }
  }
  function ofRule(rule) {
    if (rule.kind === "uniform") {
      const { minval, maxval } = rule;
      const mean2 = minval / 2 + maxval / 2;
      return { distribution: rule, mean: mean2, stddev: (maxval - minval) / Math.sqrt(12) };
    }
    const standard = momentsOf(rule);
    const mean = rule.mean + rule.stddev * standard.mean;
    return { distribution: rule, mean, stddev: rule.stddev * standard.stddev };
  }
  function onSphere({ rows, columns }, gain) {
    const length = Math.max(rows, columns);
    const stddev = Math.abs(gain) / Math.sqrt(Math.max(1, length));
    return { distribution: { kind: "orthogonal", gain, length }, mean: 0, stddev };
  }

  // src/xxh3.ts
  var PRIME32_1 = 0x9e3779b1n;
  var PRIME32_2 = 0x85ebca77n;
  var PRIME32_3 = 0xc2b2ae3dn;
  var PRIME64_1 = 0x9e3779b185ebca87n;
  var PRIME64_2 = 0xc2b2ae3d27d4eb4fn;
  var PRIME64_3 = 0x165667b19e3779f9n;
  var PRIME64_4 = 0x85ebca77c2b2ae63n;
  var PRIME64_5 = 0x27d4eb2f165667c5n;
  var PRIME_MX1 = 0x165667919e3779f9n;
  var PRIME_MX2 = 0x9fb21c651e98df25n;
  var SECRET = bytesOf(
    "b8fe6c3923a44bbe7c01812cf721ad1cded46de9839097db7240a4a4b7b3671fcb79e64eccc0e578825ad07dccff7221b8084674f743248ee03590e6813a264c3c2852bb91c300cb88d0658b1b532ea371644897a20df94e3819ef46a9deacd8a8fa763fe39c343ff9dcbbc7c70b4f1d8a51e04bcdb45931c89f7ec9d9787364eac5ac8334d3ebc3c581a0fffa1363eb170ddd51b7f0da49d316552629d4689e2b16be587d47a1fc8ff8b8d17ad031ce45cb3a8f95160428afd7fbcabb4b407e"
  );
  var STRIPE = 64;
  var STRIPES_IN_A_BLOCK = (SECRET.byteLength - STRIPE) / 8;
  function xxh3_128(data) {
    const { low, high } = halves(new DataView(data.buffer, data.byteOffset, data.byteLength));
    const digest2 = new DataView(new ArrayBuffer(16));
    digest2.setBigUint64(0, high);
    digest2.setBigUint64(8, low);
    return new Uint8Array(digest2.buffer);
  }
  function halves(data) {
    const length = data.byteLength;
    if (length === 0) return ofNothing();
    if (length <= 3) return ofUpTo3(data);
    if (length <= 8) return ofUpTo8(data);
    if (length <= 16) return ofUpTo16(data);
    if (length <= 240) return ofUpTo240(data);
    return ofMore(data);
  }
  function ofNothing() {
    return { low: avalanche64(secret(64) ^ secret(72)), high: avalanche64(secret(80) ^ secret(88)) };
  }
  function ofUpTo3(data) {
    const length = data.byteLength;
    const combined = (data.getUint8(length - 1) | length << 8 | data.getUint8(0) << 16 | data.getUint8(length >> 1) << 24) >>> 0;
    const swapped = Number(swap32(BigInt(combined)));
    const rotated2 = (swapped << 13 | swapped >>> 19) >>> 0;
    return {
      low: avalanche64(secret32(0) ^ secret32(4) ^ BigInt(combined)),
      high: avalanche64(secret32(8) ^ secret32(12) ^ BigInt(rotated2))
    };
  }
  function ofUpTo8(data) {
    const length = data.byteLength;
    const first = BigInt(data.getUint32(0, true));
    const last = BigInt(data.getUint32(length - 4, true));
    const value = secret(16) ^ secret(24) ^ (first | last << 32n);
    const product3 = value * (PRIME64_1 + BigInt(length << 2));
    let low = u64(product3);
    const high = u64((product3 >> 64n) + (low << 1n));
    low ^= high >> 3n;
    low ^= low >> 35n;
    low = u64(low * PRIME_MX2);
    low ^= low >> 28n;
    return { low, high: avalanche(high) };
  }
  function ofUpTo16(data) {
    const length = data.byteLength;
    const first = word(data, 0);
    const last = word(data, length - 8);
    const mixed = secret(32) ^ secret(40) ^ first ^ last;
    const other = secret(48) ^ secret(56) ^ last;
    const product3 = mixed * PRIME64_1;
    let low = u64(u64(product3) + (BigInt(length - 1) << 54n));
    const high = u64(
      (product3 >> 64n) + (other >> 32n << 32n) + (other & 0xffffffffn) * PRIME32_2
    );
    low ^= swap64(high);
    const second = low * PRIME64_2;
    return {
      low: avalanche(u64(second)),
      high: avalanche(u64((second >> 64n) + high * PRIME64_2))
    };
  }
  function ofUpTo240(data) {
    const length = data.byteLength;
    const acc = [u64(BigInt(length) * PRIME64_1), 0n];
    if (length <= 128) {
      for (let i = length - 1 >> 5; i >= 0; i--) {
        mixTwo(acc, data, [16 * i, length - 16 * i - 16], 32 * i);
      }
    } else {
      for (let i = 0; i < 4; i++) mixTwo(acc, data, [32 * i, 32 * i + 16], 32 * i);
      acc[0] = avalanche(acc[0]);
      acc[1] = avalanche(acc[1]);
      for (let i = 4; i < length >> 5; i++) {
        mixTwo(acc, data, [32 * i, 32 * i + 16], 32 * (i - 4) + 3);
      }
      mixTwo(acc, data, [length - 16, length - 32], 103);
    }
    const high = acc[0] * PRIME64_1 + acc[1] * PRIME64_4 + BigInt(length) * PRIME64_2;
    return { low: avalanche(u64(acc[0] + acc[1])), high: u64(-avalanche(u64(high))) };
  }
  function mixTwo(acc, data, [one, two], secretAt) {
    const sum = (at) => u64(word(data, at) + word(data, at + 8));
    acc[0] = u64(acc[0] + mixStep(data, one, secretAt)) ^ sum(two);
    acc[1] = u64(acc[1] + mixStep(data, two, secretAt + 16)) ^ sum(one);
  }
  function mixStep(data, at, secretAt) {
    return folded(word(data, at) ^ secret(secretAt), word(data, at + 8) ^ secret(secretAt + 8));
  }
  function ofMore(data) {
    const length = data.byteLength;
    const acc = [
      PRIME32_3,
      PRIME64_1,
      PRIME64_2,
      PRIME64_3,
      PRIME64_4,
      PRIME32_2,
      PRIME64_5,
      PRIME32_1
    ];
    const stripes = Math.floor((length - 1) / STRIPE);
    for (let n = 0; n < stripes; n++) {
      const inBlock = n % STRIPES_IN_A_BLOCK;
      if (n > 0 && inBlock === 0) scramble(acc);
      accumulate(acc, data, STRIPE * n, 8 * inBlock);
    }
    if (stripes % STRIPES_IN_A_BLOCK === 0) scramble(acc);
    accumulate(acc, data, length - STRIPE, SECRET.byteLength - 71);
    const size = BigInt(length);
    return {
      low: merged(acc, u64(size * PRIME64_1), 11),
      high: merged(acc, u64(~(size * PRIME64_2)), SECRET.byteLength - 75)
    };
  }
  function accumulate(acc, data, at, secretAt) {
    for (let i = 0; i < 8; i++) {
      const lane = word(data, at + 8 * i);
      const value = lane ^ secret(secretAt + 8 * i);
      acc[i ^ 1] = u64(acc[i ^ 1] + lane);
      acc[i] = u64(acc[i] + (value & 0xffffffffn) * (value >> 32n));
    }
  }
  function scramble(acc) {
    for (let i = 0; i < 8; i++) {
      const mixed = acc[i] ^ acc[i] >> 47n ^ secret(SECRET.byteLength - STRIPE + 8 * i);
      acc[i] = u64(mixed * PRIME32_1);
    }
  }
  function merged(acc, start2, secretAt) {
    let result = start2;
    for (let i = 0; i < 8; i += 2) {
      const at = secretAt + 8 * i;
      result += folded(acc[i] ^ secret(at), acc[i + 1] ^ secret(at + 8));
    }
    return avalanche(u64(result));
  }
  function folded(a, b) {
    const product3 = a * b;
    return u64(product3) ^ product3 >> 64n;
  }
  function avalanche(x) {
    const mixed = u64((x ^ x >> 37n) * PRIME_MX1);
    return mixed ^ mixed >> 32n;
  }
  function avalanche64(x) {
    let mixed = u64((x ^ x >> 33n) * PRIME64_2);
    mixed = u64((mixed ^ mixed >> 29n) * PRIME64_3);
    return mixed ^ mixed >> 32n;
  }
  function u64(x) {
    return BigInt.asUintN(64, x);
  }
  function word(data, at) {
    return data.getBigUint64(at, true);
  }
  function secret(at) {
    return SECRET.getBigUint64(at, true);
  }
  function secret32(at) {
    return BigInt(SECRET.getUint32(at, true));
  }
  function swap32(x) {
    return swap64(x) >> 32n;
  }
  function swap64(x) {
    let swapped = 0n;
    for (let rest = x, i = 0; i < 8; i++, rest >>= 8n) swapped = swapped << 8n | rest & 0xffn;
    return swapped;
  }
  function bytesOf(hex) {
    const bytes = new Uint8Array(hex.length / 2);
    for (let i = 0; i < bytes.length; i++) bytes[i] = parseInt(hex.slice(2 * i, 2 * i + 2), 16);
    return new DataView(bytes.buffer);
  }

  // src/digest.ts
  function digest(bytes, algorithm = "xxh3_128") {
    switch (algorithm) {
      case "xxh3_128":
        return hexadecimal(xxh3_128(bytes));
      case "sha256":
        return hexadecimal(sha256(bytes));
      default:
        throw new ArgumentError("algorithm", "must be xxh3_128 or sha256", algorithm);
    }
  }
  function hexadecimal(bytes) {
    return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  }

  // ../../docs/playground/src/html.ts
  function html(tag, attributes = {}, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    element.append(...children);
    return element;
  }
  function byId(id) {
    return document.getElementById(id);
  }

  // ../../docs/playground/src/state.ts
  var START = {
    initializer: "glorot_uniform",
    shape: "784, 256",
    dtype: "float32",
    name: "dense/kernel",
    seed: "42",
    draw: "0",
    in_axis: "",
    out_axis: "",
    batch_axis: ""
  };
  var FIRST_SPARSITY = "0.5";
  function kindOf(state) {
    const kind = state.initializer;
    return INITIALIZERS.includes(kind) ? kind : "glorot_uniform";
  }
  function parameterDefaults(kind) {
    return Object.fromEntries(
      Object.entries(PARAMETERS[kind]).map(([name, { default: value }]) => [
        name,
        value === void 0 ? FIRST_SPARSITY : shown2(value)
      ])
    );
  }
  function toFragment(state) {
    const standard = { ...parameterDefaults(kindOf(state)), ...START };
    const changed = Object.entries(state).filter(
      ([name, text2]) => name === "initializer" || text2 !== standard[name]
    );
    return new URLSearchParams(changed).toString();
  }
  function fromFragment(fragment) {
    const given = Object.fromEntries(new URLSearchParams(fragment.replace(/^#/, "")));
    const kind = kindOf({ ...START, ...given });
    const standard = { ...START, ...parameterDefaults(kind), initializer: kind };
    const known = Object.entries(given).filter(([name]) => name in standard);
    return { ...standard, ...Object.fromEntries(known), initializer: kind };
  }
  function shown2(value) {
    return String(value).replace("Infinity", "inf");
  }

  // ../../docs/playground/src/form.ts
  function setUpForm() {
    byId("initializer").append(...options(INITIALIZERS));
    byId("dtype").append(...options(DTYPES));
  }
  function showState(state) {
    const kind = kindOf(state);
    const fields = Object.entries(PARAMETERS[kind]).map(
      ([name, parameter]) => parameterField(name, parameter)
    );
    byId("parameters").replaceChildren(...fields);
    for (const [name, text2] of Object.entries(state)) {
      const field = fieldNamed(name);
      if (field) field.value = text2;
    }
    const axes = byId("more");
    const isUsed = [state.in_axis, state.out_axis, state.batch_axis].some((text2) => text2 !== "");
    if (isUsed || state.draw !== "0") axes.open = true;
  }
  function readState() {
    return Object.fromEntries(allFields().map((field) => [field.name, field.value]));
  }
  function showError(argument, message) {
    clearErrors();
    const names = allFields().map((field2) => field2.name);
    const name = names.find((candidate) => mentions(argument, candidate));
    const field = name === void 0 ? void 0 : fieldNamed(name);
    if (!field) return false;
    field.setAttribute("aria-invalid", "true");
    field.setAttribute("aria-describedby", "field-error");
    const words = message.replace(/^fanAxes(\.\w+)?/, field.name);
    const note = html("span", { id: "field-error", class: "error", role: "alert" }, words);
    field.closest("label").append(note);
    field.closest("details")?.setAttribute("open", "");
    return true;
  }
  function clearErrors() {
    document.getElementById("field-error")?.remove();
    for (const field of allFields()) {
      field.removeAttribute("aria-invalid");
      field.removeAttribute("aria-describedby");
    }
  }
  function parameterField(name, parameter) {
    const isFlag = typeof parameter.default === "boolean";
    const choices = parameter.choices ?? (isFlag ? ["false", "true"] : void 0);
    const field = choices ? html("select", { name }, ...options(choices)) : html("input", { name, autocomplete: "off", spellcheck: "false" });
    field.title = `${name} ${parameter.allowed}`;
    return html("label", {}, html("span", {}, name), field);
  }
  function options(words) {
    return words.map((word2) => html("option", { value: word2 }, word2));
  }
  function allFields() {
    return [...byId("form").querySelectorAll("input, select")];
  }
  function fieldNamed(name) {
    return allFields().find((field) => field.name === name);
  }
  function mentions(argument, name) {
    const plain = argument.replace("initializer.kind", "initializer").replace(/^(fanAxes)$/, "inAxis").replace(/(in|out|batch)Axis/, "$1_axis");
    return plain.split(/[^a-z_]+/i).includes(name);
  }

  // ../../docs/playground/src/format.ts
  function count(n) {
    return n.toLocaleString("en-US");
  }
  function exact(x) {
    const text2 = Object.is(x, -0) ? "-0" : String(x);
    return text2.replace("Infinity", "∞").replace("-", "−");
  }
  function brief(x) {
    if (x === 0) return "0";
    const size = Math.abs(x);
    const isPlain = size >= 1e-3 && size < 1e5;
    const text2 = isPlain ? String(Number(x.toPrecision(4))) : x.toExponential(2);
    return text2.replace(/-/g, "−").replace("e+", "e");
  }

  // ../../docs/playground/src/plan.ts
  var MAX_ELEMENTS = 2 ** 18;
  var MAX_MATRIX_WORK = 2 ** 24;
  var MAX_STFT_ELEMENTS = 2 ** 15;
  var MAX_STFT_LENGTH = 2 ** 12;
  function planOf({ shape, initializer }) {
    const { kind } = initializer;
    const total = product2(shape);
    if (kind === "orthogonal" || kind === "delta_orthogonal") return matrixPlan(shape, kind);
    if (kind === "sparse" && total > MAX_ELEMENTS) {
      return tooLarge(`a sparse tensor of more than ${count(MAX_ELEMENTS)} elements`);
    }
    if (kind === "stft" && shape[0] > MAX_STFT_LENGTH) {
      return tooLarge(`a frame of more than ${count(MAX_STFT_LENGTH)} elements`);
    }
    return leadingPart(shape, kind === "stft" ? MAX_STFT_ELEMENTS : MAX_ELEMENTS);
  }
  function matrixPlan(shape, kind) {
    const columns = shape[shape.length - 1];
    const rows = kind === "orthogonal" ? product2(shape.slice(0, -1)) : shape[shape.length - 2];
    const isLarge = rows * columns * Math.min(rows, columns) > MAX_MATRIX_WORK || product2(shape) > MAX_ELEMENTS;
    return isLarge ? tooLarge("a matrix with rows × columns × the lesser of them beyond 256³") : { kind: "whole" };
  }
  function leadingPart(shape, most) {
    if (product2(shape) <= most) return { kind: "whole" };
    let rest = product2(shape);
    let left = most;
    const lengths = shape.map((length) => {
      rest /= length;
      const part2 = Math.max(1, Math.min(length, Math.floor(left / rest)));
      left = Math.floor(left / part2);
      return part2;
    });
    const part = `the first (${lengths.join(", ")}) of (${shape.join(", ")})`;
    const words = `This page computes at most ${count(most)} elements at a time. These are ${part}: the same bits that the whole tensor has there.`;
    return { kind: "slice", slice: { starts: shape.map(() => 0), lengths }, words };
  }
  function tooLarge(what) {
    return {
      kind: "none",
      words: `This page does not sample ${what}; the package and a server do.`
    };
  }
  function product2(lengths) {
    return lengths.reduce((result, length) => result * length, 1);
  }

  // ../../docs/playground/src/request.ts
  var NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
  var INTEGER = /^[+-]?\d+$/;
  function requestOf(state) {
    const fanAxes = fanAxesOf(state);
    return {
      name: state.name,
      shape: integers("shape", state.shape),
      dtype: state.dtype,
      initializer: initializerOf(state),
      seed: bigInteger("seed", state.seed),
      draw: bigInteger("draw", state.draw),
      ...fanAxes && { fanAxes }
    };
  }
  function initializerOf(state) {
    const kind = kindOf(state);
    const parameters = Object.entries(PARAMETERS[kind]).map(([name, parameter]) => {
      const text2 = (state[name] ?? "").trim();
      if (text2 === "") return [name, void 0];
      if (parameter.choices) return [name, text2];
      if (typeof parameter.default === "boolean") return [name, text2 === "true"];
      return [name, name === "value" ? exactNumber(text2) : number2(name, text2)];
    });
    const given = parameters.filter(([, value]) => value !== void 0);
    return { kind, ...Object.fromEntries(given) };
  }
  function fanAxesOf(state) {
    const inAxis = integers("in_axis", state.in_axis);
    const outAxis = integers("out_axis", state.out_axis);
    const batchAxis = integers("batch_axis", state.batch_axis);
    const areNamed = inAxis.length + outAxis.length + batchAxis.length > 0;
    return areNamed ? { inAxis, outAxis, batchAxis } : void 0;
  }
  function integers(field, text2) {
    const parts = text2.replace(/[()[\]]/g, " ").split(/[\s,x×]+/).filter((part) => part !== "");
    return parts.map((part) => {
      if (!INTEGER.test(part)) throw new ArgumentError(field, "must be integers", part);
      return Number(part);
    });
  }
  function number2(field, text2) {
    const infinity = /^([+-]?)inf(inity)?$/i.exec(text2);
    if (infinity) return infinity[1] === "-" ? -Infinity : Infinity;
    if (!NUMBER.test(text2)) throw new ArgumentError(field, "must be a number", text2);
    return Number(text2);
  }
  function exactNumber(text2) {
    const value = number2("value", text2);
    return INTEGER.test(text2) && !Number.isSafeInteger(value) ? BigInt(text2) : value;
  }
  function bigInteger(field, text2) {
    const trimmed = text2.trim() || "0";
    if (!INTEGER.test(trimmed)) throw new ArgumentError(field, "must be an integer", text2);
    return BigInt(trimmed);
  }

  // ../../docs/playground/src/svg.ts
  function svg(tag, attributes, ...children) {
    const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, `${value}`);
    element.append(...children);
    return element;
  }
  function text(words, attributes) {
    return svg("text", attributes, document.createTextNode(words));
  }
  function pixel(x) {
    return Math.round(x * 10) / 10;
  }

  // ../../docs/playground/src/chart.ts
  var HEIGHT = 300;
  var BASE = HEIGHT - 28;
  var TOP = 10;
  var POINTS = 400;
  function chart(width, curve, { bars }, label) {
    const { from, to, density: density2 } = curve;
    const margin = 0.03 * (to - from);
    const x = (value) => pixel((value - from + margin) / (to - from + 2 * margin) * width);
    const points = Array.from({ length: POINTS + 1 }, (_, i) => from + i / POINTS * (to - from));
    const heights = points.map(density2);
    const tallest = Math.max(...bars.map((bar) => bar.density));
    const limit = tallest > 0 ? 1.6 * tallest : Infinity;
    const most = 1.06 * Math.max(tallest, Math.min(Math.max(...heights), limit));
    const y = (value) => pixel(BASE - Math.min(value, most) / most * (BASE - TOP));
    const rectangles = bars.map((bar) => {
      const gap = x(bar.to) - x(bar.from) > 6 ? 1 : 0;
      return svg("rect", {
        x: x(bar.from),
        y: y(bar.density),
        width: Math.max(0.5, x(bar.to) - x(bar.from) - gap),
        height: pixel(BASE - y(bar.density))
      });
    });
    const line = points.map((value, i) => `${x(value)},${y(heights[i])}`);
    const path = `M${x(from)},${BASE}L${line.join("L")}L${x(to)},${BASE}`;
    return svg(
      "svg",
      { viewBox: `0 0 ${width} ${HEIGHT}`, role: "img", "aria-label": label, class: "chart" },
      svg("g", { class: "bars" }, ...rectangles),
      svg("path", { d: path, class: "curve" }),
      ...axis(width, from, to, x)
    );
  }
  function axis(width, from, to, x) {
    const line = svg("line", { x1: 0, y1: BASE, x2: width, y2: BASE, class: "axis" });
    const ticks = ticksBetween(from, to, width < 480 ? 4 : 8).flatMap((value) => {
      const isLeft = x(value) < 24;
      const anchor = isLeft ? "start" : x(value) > width - 24 ? "end" : "middle";
      return [
        svg("line", { x1: x(value), y1: BASE, x2: x(value), y2: BASE + 5, class: "axis" }),
        text(brief(value), { x: x(value), y: BASE + 20, "text-anchor": anchor, class: "tick" })
      ];
    });
    return [line, ...ticks];
  }
  function ticksBetween(from, to, most) {
    const rough = (to - from) / most;
    const power = 10 ** Math.floor(Math.log10(rough));
    const step = power * [1, 2, 2.5, 5, 10].find((factor2) => factor2 * power >= rough);
    const first = Math.ceil(from / step);
    const ticks = [];
    for (let k = first; k * step <= to + step * 1e-9; k++) {
      ticks.push(Number((k * step).toPrecision(12)));
    }
    return ticks.length > 2 * most ? [from, to] : ticks;
  }

  // ../../docs/playground/src/densities.ts
  var DRAWN = 4.2;
  function curveOf({ distribution }) {
    switch (distribution.kind) {
      case "uniform": {
        const { minval, maxval } = distribution;
        if (minval === maxval) return void 0;
        return { from: minval, to: maxval, density: () => 1 / (maxval - minval) };
      }
      case "normal":
        return distribution.stddev === 0 ? void 0 : normalCurve(distribution);
      case "orthogonal":
        return sphereCurve(distribution);
      case "fixed":
        return void 0;
    }
  }
  function normalCurve({ mean, stddev, lower, upper }) {
    const first = Math.max(lower, Math.min(-DRAWN, upper - DRAWN));
    const last = Math.min(upper, Math.max(DRAWN, lower + DRAWN));
    const mass = integral(standardDensity, Math.max(lower, first - 5), Math.min(upper, last + 5));
    return {
      from: mean + first * stddev,
      to: mean + last * stddev,
      density: (x) => standardDensity((x - mean) / stddev) / (mass * stddev)
    };
  }
  function sphereCurve({ gain, length }) {
    const radius = Math.abs(gain);
    if (length < 2 || radius === 0) return void 0;
    const end = Math.min(radius, DRAWN * radius / Math.sqrt(length));
    const log = logGamma(length / 2) - logGamma((length - 1) / 2) - Math.log(Math.PI) / 2 - Math.log(radius);
    return {
      from: -end,
      to: end,
      density: (x) => Math.exp(log + (length - 3) / 2 * Math.log1p(-((x / radius) ** 2)))
    };
  }
  function standardDensity(z) {
    return Math.exp(-z * z / 2) / Math.sqrt(2 * Math.PI);
  }
  function integral(f, from, to) {
    const steps = 2e3;
    const width = (to - from) / steps;
    let sum = f(from) + f(to);
    for (let i = 1; i < steps; i++) sum += f(from + i * width) * (i % 2 === 1 ? 4 : 2);
    return sum * width / 3;
  }
  function logGamma(x) {
    if (x < 10) return logGamma(x + 1) - Math.log(x);
    const series = 1 / (12 * x) - 1 / (360 * x ** 3) + 1 / (1260 * x ** 5);
    return (x - 0.5) * Math.log(x) - x + Math.log(2 * Math.PI) / 2 + series;
  }

  // ../../docs/playground/src/histogram.ts
  var MOST_BINS = 72;
  function histogram(values, from, to) {
    const bins = Math.max(8, Math.min(MOST_BINS, Math.round(2 * Math.cbrt(values.length))));
    const width = (to - from) / bins;
    const counts = new Array(bins).fill(0);
    let beyond = 0;
    for (const value of values) {
      if (value < from || value > to) beyond++;
      else counts[Math.min(bins - 1, Math.floor((value - from) / width))]++;
    }
    const bars = counts.map((n, i) => ({
      from: from + i * width,
      to: from + (i + 1) * width,
      density: n / (values.length * width)
    }));
    return { bars, beyond };
  }
  function cells(values, from, to) {
    const counts = /* @__PURE__ */ new Map();
    for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
    const sorted = [...counts.keys()].sort((a, b) => a - b);
    const bars = [];
    let beyond = 0;
    sorted.forEach((value, i) => {
      const start2 = i === 0 ? from : Math.max(from, (sorted[i - 1] + value) / 2);
      const end = i === sorted.length - 1 ? to : Math.min(to, (value + sorted[i + 1]) / 2);
      const part = counts.get(value) / values.length;
      if (end > start2) bars.push({ from: start2, to: end, density: part / (end - start2) });
      else beyond += counts.get(value);
    });
    return { bars, beyond };
  }

  // ../../docs/playground/src/picture.ts
  var MOST = 64;
  function picture(values, shape, label) {
    const columns = shape[shape.length - 1] ?? 1;
    const shownColumns = Math.min(MOST, columns);
    const rows = Math.min(MOST, Math.floor(values.length / columns));
    const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0) || 1;
    const paper = { width: shownColumns, height: rows, class: "paper" };
    const squares = [svg("rect", paper)];
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < shownColumns; column++) {
        const value = values[row * columns + column];
        squares.push(
          svg("rect", {
            ...{ x: column, y: row, width: 0.94, height: 0.94 },
            class: value < 0 ? "negative" : "positive",
            "fill-opacity": pixel(Math.abs(value) / largest * 100) / 100
          })
        );
      }
    }
    const frame = { viewBox: `0 0 ${shownColumns} ${rows}`, role: "img", "aria-label": label };
    return svg("svg", { ...frame, class: "picture" }, ...squares);
  }

  // ../../docs/playground/src/results.ts
  var FIRST_NUMBERS = 12;
  function showResults(request) {
    const description = describe(request);
    const plan = planOf(request);
    const slice = plan.kind === "slice" ? { slice: plan.slice } : {};
    const tensor = plan.kind === "none" ? void 0 : sample({ ...request, ...slice });
    showNote(plan.kind === "whole" ? "" : plan.words);
    const values = tensor && numbers(tensor).map(Number);
    const facts = [...distributionFacts(description), ...fanFacts(description)];
    byId("facts").replaceChildren(...factRows(facts));
    byId("moments").replaceChildren(...momentRows(description, values));
    showDigests(tensor, plan.kind === "slice");
    showNumbers(tensor);
    const redraw2 = () => showFigure(request, description, values);
    redraw2();
    return redraw2;
  }
  function distributionFacts({ distribution, zeros }) {
    const zero = zeros > 0 ? [["part that is 0", exact(zeros)]] : [];
    switch (distribution.kind) {
      case "uniform": {
        const { minval, maxval } = distribution;
        const ends = [["minval", exact(minval)], ["maxval", exact(maxval)]];
        return [["distribution", "uniform, maxval excluded"], ...ends];
      }
      case "normal": {
        const { mean, stddev, lower, upper } = distribution;
        const isCut = lower !== -Infinity || upper !== Infinity;
        return [
          ["distribution", isCut ? "truncated normal" : "normal"],
          [isCut ? "mean before the cut" : "mean", exact(mean)],
          [isCut ? "stddev before the cut" : "stddev", exact(stddev)],
          ...isCut ? [["bounds, in stddevs", `${exact(lower)} to ${exact(upper)}`]] : [],
          ...zero
        ];
      }
      case "orthogonal": {
        const { gain, length } = distribution;
        const dimensions = `a coordinate of a point on a sphere in ${count(length)} dimensions`;
        return [["distribution", dimensions], ["radius", exact(Math.abs(gain))], ...zero];
      }
      case "fixed":
        return [["distribution", "none: seed, name and draw change nothing"]];
    }
  }
  function fanFacts({ fans: fans2 }) {
    return [["fan_in", count(fans2.fanIn)], ["fan_out", count(fans2.fanOut)]];
  }
  function factRows(facts) {
    return facts.map(
      ([term, value]) => html("div", {}, html("dt", {}, term), html("dd", { "data-fact": term }, value))
    );
  }
  function momentRows({ mean, stddev, zeros }, values) {
    if (mean === void 0 || stddev === void 0) return [];
    const sampled = values && momentsOf2(withoutZeros(values, zeros));
    const row = (name, ideal, found) => html(
      "tr",
      {},
      html("th", { scope: "row" }, name),
      html("td", {}, brief(ideal)),
      html("td", {}, found === void 0 || Number.isNaN(found) ? "–" : brief(found))
    );
    const heads = ["", "exact", "sample"].map((word2) => html("th", { scope: "col" }, word2));
    return [
      html("tr", {}, ...heads),
      row("mean", mean, sampled?.mean),
      row("standard deviation", stddev, sampled?.stddev)
    ];
  }
  function momentsOf2(values) {
    const mean = values.reduce((sum, x) => sum + x, 0) / values.length;
    const squares = values.reduce((sum, x) => sum + (x - mean) ** 2, 0);
    return { mean, stddev: Math.sqrt(squares / values.length) };
  }
  function showFigure(request, description, values) {
    const figure = byId("figure");
    const caption = byId("caption");
    figure.replaceChildren();
    caption.textContent = "";
    if (values === void 0 || values.length === 0) {
      caption.textContent = values ? "There are no elements." : "";
      return;
    }
    const curve = curveOf(description);
    if (curve === void 0) {
      const words = `The first rows of (${request.shape.join(", ")})`;
      figure.append(picture(values, request.shape, words));
      caption.textContent = `${words}; the stronger the colour, the larger the number.`;
      return;
    }
    const drawn = withoutZeros(values, description.zeros);
    if (drawn.length === 0) {
      caption.textContent = "All elements are 0.";
      return;
    }
    const bars = barsOf(request, drawn, curve);
    const { kind } = request.initializer;
    const label = `Histogram of ${count(drawn.length)} numbers of ${kind} and their exact density`;
    figure.append(chart(Math.max(280, figure.clientWidth), curve, bars, label));
    caption.append(...legend(drawn.length, values.length, bars.beyond));
  }
  function barsOf({ dtype }, values, curve) {
    const isCoarse = dtype === "float8_e4m3fn" || dtype === "float8_e5m2";
    return (isCoarse ? cells : histogram)(values, curve.from, curve.to);
  }
  function legend(drawn, all, beyond) {
    const zeros = all > drawn ? `; ${count(all - drawn)} zeros left out` : "";
    const outside = beyond > 0 ? `; ${count(beyond)} beyond the drawing` : "";
    const numbersKey = html("i", { class: "key-bars" });
    const curveKey = html("i", { class: "key-curve" });
    return [
      html("span", {}, numbersKey, `${count(drawn)} numbers${zeros}${outside}`),
      html("span", {}, curveKey, "the exact density")
    ];
  }
  function withoutZeros(values, zeros) {
    return zeros > 0 ? values.filter((value) => value !== 0) : values;
  }
  function showDigests(tensor, isSlice) {
    byId("digest-of").textContent = isSlice ? "of these elements" : "of the whole tensor";
    byId("xxh3").textContent = tensor ? digest(tensor.bytes) : "–";
    byId("sha256").textContent = tensor ? digest(tensor.bytes, "sha256") : "–";
    byId("bytes").textContent = tensor ? `${count(tensor.bytes.length)} bytes` : "";
  }
  function showNumbers(tensor) {
    const values = tensor ? numbers({ ...tensor, bytes: firstBytes(tensor) }) : [];
    const size = values.length > 0 ? firstBytes(tensor).length / values.length : 0;
    const rows = values.map((value, i) => {
      const bits = tensor.bytes.slice(i * size, (i + 1) * size).reverse();
      return html(
        "tr",
        {},
        html("th", { scope: "row" }, `${i}`),
        html("td", { class: "value" }, exact(value)),
        html("td", { class: "bits" }, `0x${hexadecimal(bits).toUpperCase()}`)
      );
    });
    byId("numbers").replaceChildren(...rows);
  }
  function firstBytes({ bytes, shape }) {
    const elements = shape.reduce((product3, length) => product3 * length, 1);
    const size = elements === 0 ? 0 : bytes.length / elements;
    return bytes.subarray(0, FIRST_NUMBERS * size);
  }
  function showNote(words) {
    const note = byId("note");
    note.textContent = words;
    note.hidden = words === "";
  }

  // ../../docs/playground/src/main.ts
  var DELAY_MS = 200;
  var EXAMPLES = {
    dirac: "3, 3, 16, 32",
    delta_orthogonal: "3, 3, 16, 32",
    stft: "64, 1, 33",
    orthogonal: "128, 128",
    sparse: "256, 256",
    identity: "24, 32"
  };
  var timer = 0;
  var redraw;
  function start() {
    setUpForm();
    showState(fromFragment(location.hash));
    byId("form").addEventListener("input", (event) => {
      if (event.target.id === "initializer") changeInitializer();
      later();
    });
    byId("form").addEventListener("submit", (event) => event.preventDefault());
    addEventListener("hashchange", () => {
      if (location.hash.slice(1) === toFragment(readState())) return;
      showState(fromFragment(location.hash));
      update();
    });
    new ResizeObserver(() => redraw?.()).observe(byId("figure-frame"));
    update();
  }
  function changeInitializer() {
    const before = readState();
    const kind = kindOf(before);
    const { shape, dtype, name, seed, draw, in_axis, out_axis, batch_axis } = before;
    const common = { initializer: kind, dtype, name, seed, draw, in_axis, out_axis, batch_axis };
    const state = { ...common, shape, ...parameterDefaults(kind) };
    const other = EXAMPLES[kind] ?? START.shape;
    showState(fits(state) ? state : { ...state, shape: other });
  }
  function fits(state) {
    try {
      const request = requestOf(state);
      describe(request);
      return planOf(request).kind !== "none";
    } catch (error) {
      return !(error instanceof ArgumentError && error.argument === "shape");
    }
  }
  function later() {
    clearTimeout(timer);
    document.body.dataset.state = "computing";
    timer = setTimeout(update, DELAY_MS);
  }
  function update() {
    const state = readState();
    history.replaceState(null, "", `#${toFragment(state)}`);
    try {
      redraw = showResults(requestOf(state));
      clearErrors();
      show("ready", "");
    } catch (error) {
      if (!(error instanceof ArgumentError)) throw error;
      const isAtField = showError(error.argument, error.message);
      show("error", isAtField ? "Nothing is sampled: see the marked field." : error.message);
    }
  }
  function show(condition, message) {
    document.body.dataset.state = condition;
    const error = byId("error");
    error.textContent = message;
    error.hidden = message === "";
  }
  start();
})();
