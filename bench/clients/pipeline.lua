-- For wrk: sixteen requests at a time on each connection.
init = function()
  local requests = {}
  for place = 1, 16 do
    requests[place] = wrk.format("GET")
  end
  pipelined = table.concat(requests)
end

request = function()
  return pipelined
end
