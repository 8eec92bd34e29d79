// The API's calls as hooks over the query cache. Keys begin with the operation's name, so that a change can say which
// answers it has made old.
import {
  type InfiniteData,
  type UseInfiniteQueryResult,
  type UseMutationResult,
  type UseQueryResult,
  useInfiniteQuery,
  useMutation,
  useQuery,
  useQueryClient,
} from "@tanstack/react-query";
import { useEffect, useRef } from "react";
import type { Answer, OperationId } from "#shared/operations.ts";
import { type CallInput, call, isKeyed } from "./client.ts";
import type { ApiFault } from "./problem.ts";
import { retries, waitMs } from "./query-client.ts";

export interface QueryOptions<K extends OperationId> {
  /** Milliseconds between two looks while the tab is visible; a function may depend on the answer. */
  readonly everyMs?: number | ((answer: Answer<K> | undefined) => number);
  readonly enabled?: boolean;
}

export function useCall<K extends OperationId>(
  id: K,
  input: CallInput<K>,
  { everyMs = 30_000, enabled = true }: QueryOptions<K> = {},
): UseQueryResult<Answer<K>, ApiFault> {
  return useQuery<Answer<K>, ApiFault>({
    queryKey: [id, input],
    queryFn: ({ signal }) => call(id, { ...input, signal }),
    refetchInterval: ({ state }) =>
      typeof everyMs === "function" ? everyMs(state.data as Answer<K> | undefined) : everyMs,
    enabled,
  });
}

export type Change<K extends OperationId> = UseMutationResult<Answer<K>, ApiFault, CallInput<K>>;

/**
 * Runs a call that changes something; the named answers are asked for again before it counts as done. A POST goes by a key of
 * its own for each time that somebody asks for it, so it may be sent again where its answer was lost.
 */
export function useChange<K extends OperationId>(id: K, outdated: readonly OperationId[]): Change<K> {
  const cache = useQueryClient();
  const keys = useRef(new WeakMap<CallInput<K>, string>());
  const isPost = isKeyed(id);
  return useMutation<Answer<K>, ApiFault, CallInput<K>>({
    onMutate: (input) => {
      if (isPost) keys.current.set(input, crypto.randomUUID());
    },
    mutationFn: (input) => call(id, input, keys.current.get(input)),
    ...(isPost ? { retry: retries, retryDelay: waitMs } : {}),
    onSettled: () =>
      Promise.all(
        outdated.map((old) => {
          // Of a page that is not on the screen: it must not come back with a node that was just removed.
          cache.removeQueries({ queryKey: [old], type: "inactive" });
          return cache.invalidateQueries({ queryKey: [old] });
        }),
      ),
  });
}

type ListId = Extract<OperationId, `list${string}`>;
type Item<K extends ListId> = Answer<K> extends { items: (infer T)[] } ? T : never;

interface Page<T> {
  readonly items: T[];
  readonly next_cursor: string | null;
}

export type ListResult<T> = Pick<
  UseInfiniteQueryResult<InfiniteData<Page<T>>, ApiFault>,
  "error" | "isPending" | "hasNextPage" | "fetchNextPage" | "isFetchingNextPage" | "refetch"
> & { readonly items: readonly T[] };

export interface ListOptions {
  readonly params?: { readonly id: string };
  readonly query?: Readonly<Record<string, string | undefined>>;
  readonly pageSize?: number;
  readonly everyMs?: number;
  /** Goes on to the last page by itself. */
  readonly all?: boolean;
  readonly enabled?: boolean;
}

const NOTHING: readonly never[] = [];
/** So many pages of a list are looked at as often as its owner wants. */
const PAGES_AT_ONCE = 10;

export function useList<K extends ListId>(id: K, options: ListOptions = {}): ListResult<Item<K>> {
  const { params, query = {}, pageSize = 50, everyMs = 30_000, all = false, enabled = true } = options;
  const result = useInfiniteQuery<Page<Item<K>>, ApiFault, readonly Item<K>[], unknown[], string | undefined>(
    {
      queryKey: [id, params?.id, query, pageSize],
      queryFn: ({ pageParam, signal }) =>
        call(id, {
          ...(params === undefined ? {} : { params }),
          query: { ...query, limit: pageSize, cursor: pageParam },
          signal,
        } as unknown as CallInput<K>) as unknown as Promise<Page<Item<K>>>,
      initialPageParam: undefined,
      getNextPageParam: (page) => page.next_cursor ?? undefined,
      select: flatten,
      // Only while the tab is visible. A long list is asked for more seldom: each time costs a call per page.
      refetchInterval: ({ state }) => everyMs * Math.ceil((state.data?.pages.length ?? 1) / PAGES_AT_ONCE),
      enabled,
    },
  );
  const { hasNextPage, isFetching, fetchNextPage, error } = result;
  useEffect(() => {
    if (all && hasNextPage && !isFetching && error === null) void fetchNextPage();
  }, [all, hasNextPage, isFetching, fetchNextPage, error]);
  return { ...result, items: result.data ?? NOTHING } as unknown as ListResult<Item<K>>;
}

function flatten<T>(data: InfiniteData<Page<T>, string | undefined>): readonly T[] {
  return data.pages.flatMap((page) => page.items);
}
