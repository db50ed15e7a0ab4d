import { z } from 'zod';

/** Removes what wraps a schema without changing its keys: optional, default, nullable, pipe and the like. */
export function unwrap(schema: z.core.$ZodType): z.core.$ZodType {
  if (
    schema instanceof z.ZodOptional ||
    schema instanceof z.ZodNullable ||
    schema instanceof z.ZodDefault ||
    schema instanceof z.ZodPrefault ||
    schema instanceof z.ZodReadonly ||
    schema instanceof z.ZodCatch
  ) {
    return unwrap(schema.def.innerType);
  }
  if (schema instanceof z.ZodPipe) {
    return unwrap(schema.def.in instanceof z.ZodTransform ? schema.def.out : schema.def.in);
  }
  if (schema instanceof z.ZodLazy) return unwrap(schema.def.getter());
  return schema;
}

/** The schemas that a path of keys and indexes may lead to: several where a union lies on the way. */
export function schemasAt(schema: z.core.$ZodType, path: readonly PropertyKey[]): z.core.$ZodType[] {
  const inner = unwrap(schema);
  if (inner instanceof z.ZodUnion) return inner.def.options.flatMap((option) => schemasAt(option, path));
  if (path.length === 0) return [schema];
  const [key, ...rest] = path;
  const child = childOf(inner, key);
  return child === undefined ? [] : schemasAt(child, rest);
}

/** The keys an object may have at that path, over all branches of a union. */
export function keysAt(schema: z.core.$ZodType, path: readonly PropertyKey[]): string[] {
  const keys = schemasAt(schema, path).flatMap((found) => {
    const inner = unwrap(found);
    return inner instanceof z.ZodObject ? Object.keys(inner.def.shape) : [];
  });
  return [...new Set(keys)];
}

/** What the schema's author wrote with `.meta({ description, example })`, looking through the wrappers. */
export function metaOf(schema: z.core.$ZodType): { description?: string; example?: string } {
  const meta = z.globalRegistry.get(schema);
  const inner = innerOf(schema);
  const below = inner === undefined ? {} : metaOf(inner);
  return {
    ...below,
    ...(typeof meta?.description === 'string' ? { description: meta.description } : {}),
    ...(typeof meta?.example === 'string' ? { example: meta.example } : {}),
  };
}

function innerOf(schema: z.core.$ZodType): z.core.$ZodType | undefined {
  if (schema instanceof z.ZodPipe) return schema.def.in;
  if (
    schema instanceof z.ZodOptional ||
    schema instanceof z.ZodNullable ||
    schema instanceof z.ZodDefault ||
    schema instanceof z.ZodPrefault
  ) {
    return schema.def.innerType;
  }
  return undefined;
}

function childOf(schema: z.core.$ZodType, key: PropertyKey | undefined): z.core.$ZodType | undefined {
  if (schema instanceof z.ZodObject) return schema.def.shape[String(key)];
  if (schema instanceof z.ZodArray) return schema.def.element;
  if (schema instanceof z.ZodRecord) return schema.def.valueType;
  return undefined;
}
