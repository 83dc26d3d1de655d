/** Elements of SVG. */

type Attributes = Readonly<Record<string, string | number>>;

export function svg(tag: string, attributes: Attributes, ...children: readonly Node[]): SVGElement {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, `${value}`);
  element.append(...children);
  return element;
}

export function text(words: string, attributes: Attributes): SVGElement {
  return svg("text", attributes, document.createTextNode(words));
}

/** One digit behind the point is enough for a pixel. */
export function pixel(x: number): number {
  return Math.round(x * 10) / 10;
}
