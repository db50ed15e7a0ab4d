/**
 * What the work comes to, or `otherwise` when that takes longer. Late work goes on; what it fails with is nobody's then.
 *
 * @param ms longest wait
 */
export async function within<T, F = undefined>(ms: number, work: Promise<T>, otherwise?: F): Promise<T | F> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<F>((resolve) => {
    timer = setTimeout(() => resolve(otherwise as F), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
