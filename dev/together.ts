/**
 * Waits for tasks that run side by side. When one fails, the rest are told to give up and waited for,
 * so that nothing starts behind the back of who cleans up.
 *
 * @throws what the first one failed with
 */
export async function together<T extends readonly unknown[]>(
  giveUp: AbortController,
  ...tasks: { [K in keyof T]: Promise<T[K]> }
): Promise<T> {
  const failures: unknown[] = [];
  const note = (error: unknown) => {
    failures.push(error);
    giveUp.abort();
  };
  await Promise.all(tasks.map((task) => task.catch(note)));
  if (failures.length > 0) throw failures[0];
  return (await Promise.all(tasks)) as unknown as T;
}
