// Constructors of Node's (servers, agents, requests) with some of their methods replaced. As Node's own they may be called without
// `new`, extended by classes, and inherited from by `util.inherits`.

// biome-ignore lint/suspicious/noExplicitAny: constructors differ in nothing but what they take
type Constructor = new (...args: any[]) => object
type Methods = object

/** `sort` may change what the constructor is given. */
export function derive<Parent extends Constructor>(
  parent: Parent,
  methods: Methods,
  sort: (args: unknown[]) => unknown[] = (args) => args,
): Parent {
  function Derived(this: unknown, ...args: unknown[]): unknown {
    if (new.target === undefined && this instanceof Derived) return void Reflect.apply(parent, this, sort(args))
    return Reflect.construct(parent, sort(args), new.target ?? Derived)
  }
  Object.defineProperty(Derived, 'name', { value: parent.name })
  Object.setPrototypeOf(Derived, parent)
  Derived.prototype = withMethods(parent.prototype, methods)
  Object.defineProperty(Derived.prototype, 'constructor', { value: Derived, writable: true, configurable: true })
  return Derived as unknown as Parent
}

/** An object that inherits from `prototype` and has the methods, which stay hidden from `for … in`. */
export function withMethods<Prototype extends object>(prototype: Prototype, methods: Methods): Prototype {
  const derived = Object.create(prototype)
  const descriptors = Object.getOwnPropertyDescriptors(methods) as Record<PropertyKey, PropertyDescriptor>
  for (const key of Reflect.ownKeys(descriptors)) {
    Object.defineProperty(derived, key, { ...descriptors[key as string], enumerable: false })
  }
  return derived
}
