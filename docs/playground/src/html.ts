/** Elements of HTML. */

type Attributes = Readonly<Record<string, string>>;

export function html<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: readonly (Node | string)[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/** An element that index.html has. */
export function byId(id: string): HTMLElement {
  return document.getElementById(id)!;
}
