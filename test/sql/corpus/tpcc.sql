SELECT c_discount, c_last, c_credit, w_tax FROM customer, warehouse WHERE w_id = 1 AND c_w_id = w_id AND c_d_id = 3 AND c_id = 17
SELECT d_next_o_id, d_tax FROM district WHERE d_id = 3 AND d_w_id = 1 FOR UPDATE
UPDATE district SET d_next_o_id = d_next_o_id + 1 WHERE d_id = 3 AND d_w_id = 1
INSERT INTO orders (o_id, o_d_id, o_w_id, o_c_id, o_entry_d, o_ol_cnt, o_all_local) VALUES (3001, 3, 1, 17, now(), 5, 1)
INSERT INTO new_orders (no_o_id, no_d_id, no_w_id) VALUES (3001, 3, 1)
SELECT i_price, i_name, i_data FROM item WHERE i_id = 4711
SELECT s_quantity, s_data, s_dist_01, s_dist_02 FROM stock WHERE s_i_id = 4711 AND s_w_id = 1 FOR UPDATE
UPDATE stock SET s_quantity = 43 WHERE s_i_id = 4711 AND s_w_id = 1
INSERT INTO order_line (ol_o_id, ol_d_id, ol_w_id, ol_number, ol_i_id, ol_supply_w_id, ol_quantity, ol_amount, ol_dist_info) VALUES (3001, 3, 1, 1, 4711, 1, 5, 123.45, 'abcdefghijklmnopqrstuvwx')
UPDATE warehouse SET w_ytd = w_ytd + 1234.56 WHERE w_id = 1
SELECT w_street_1, w_street_2, w_city, w_state, w_zip, w_name FROM warehouse WHERE w_id = 1
SELECT count(c_id) FROM customer WHERE c_last = 'BARBARBAR' AND c_d_id = 3 AND c_w_id = 1
SELECT c_first, c_middle, c_id FROM customer WHERE c_w_id = 1 AND c_d_id = 3 AND c_last = 'BARBARBAR' ORDER BY c_first
UPDATE customer SET c_balance = c_balance - 10.5, c_data = 'x' || c_data WHERE c_w_id = 1 AND c_d_id = 3 AND c_id = 17
INSERT INTO history (h_c_d_id, h_c_w_id, h_c_id, h_d_id, h_w_id, h_date, h_amount, h_data) VALUES (3, 1, 17, 3, 1, now(), 10.5, 'w    d')
SELECT o_id, o_entry_d, coalesce(o_carrier_id, 0) FROM orders WHERE o_w_id = 1 AND o_d_id = 3 AND o_c_id = 17 AND o_id = (SELECT max(o_id) FROM orders WHERE o_w_id = 1 AND o_d_id = 3 AND o_c_id = 17)
SELECT no_o_id FROM new_orders WHERE no_d_id = 3 AND no_w_id = 1 ORDER BY no_o_id ASC LIMIT 1
DELETE FROM new_orders WHERE no_o_id = 2101 AND no_d_id = 3 AND no_w_id = 1
UPDATE order_line SET ol_delivery_d = now() WHERE ol_o_id = 2101 AND ol_d_id = 3 AND ol_w_id = 1
SELECT sum(ol_amount) FROM order_line WHERE ol_o_id = 2101 AND ol_d_id = 3 AND ol_w_id = 1
SELECT count(DISTINCT s_i_id) FROM order_line, stock WHERE ol_w_id = 1 AND ol_d_id = 3 AND ol_o_id < 3001 AND ol_o_id >= 2981 AND s_w_id = 1 AND s_i_id = ol_i_id AND s_quantity < 15
